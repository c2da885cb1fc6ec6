"""The command `manage.py runner`: its options, its machine, and how it ends."""

import argparse
import io
import json
import os
import re
import signal
import subprocess
import sys
import zipfile
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from assets.management.commands.runner import Command
from assets.runner import options
from tests.house.source import ROOT
from tests.properties.archives import Item, zip_of_items

from .server import TOKEN
from .test_program import ARCHIVE, MODEL, task

PACKAGES = {"asgiref", "django", "requests", "sqlparse", "docker"}
PACKAGES |= {"certifi", "charset_normalizer", "idna", "urllib3"}


def command(*arguments, code=0):
    """Run the command as on a bare machine, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "manage.py", "runner", *map(str, arguments)],
        cwd=ROOT,
        env={},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def token_file(tmp_path):
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    return path


# --- The machine ----------------------------------------------------------------------------------


def test_it_needs_no_settings_and_no_home():
    assert "--token-file FILE" in command("--help")


def test_it_needs_no_package_but_those_of_its_lock_file():
    locked = set(
        re.findall(r"^([a-z]\S*)==", (ROOT / "requirements-runner.lock").read_text(), re.M)
    )
    assert {name.replace("-", "_") for name in locked} - {"pywin32", "tzdata"} == PACKAGES
    script = """
import json, sys
sys.argv = ["manage.py", "runner", "--help"]
import manage
try:
    manage.main()
except SystemExit:
    pass
import assets.runner.engines.container, assets.runner.engines.process, assets.runner.start
files = {name: getattr(module, "__file__", None) or "" for name, module in sys.modules.items()}
names = {name.partition(".")[0] for name, file in files.items() if "site-packages" in file}
print("\\n" + json.dumps(sorted(names)))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env={}, capture_output=True, text=True
    )
    used = set(json.loads(done.stdout.splitlines()[-1]))
    assert "django" in used
    assert used <= PACKAGES


# --- Options --------------------------------------------------------------------------------------

WRONG = {
    "no server": ([], "the following arguments are required: --server"),
    "size": (["--cache-size", "much"], "'much' is no size. Enter one such as 500M or 2G."),
    "no bytes": (["--memory-limit", "0"], "'0' is no size"),
    "time": (["--time-limit", "1w"], "'1w' is no time. Enter one such as 90s, 15m or 8h."),
    "jobs": (["--jobs", "0"], "'0' is no number of jobs"),
    "many jobs": (["--jobs", "101"], "'101' is no number of jobs. Enter one from 1 to 100."),
    "engine": (["--engine", "magic"], "invalid choice: 'magic'"),
    "data root": (["--data-root", "/nowhere"], "'/nowhere' is not a folder."),
    "token file": (["--token-file", "/nowhere"], "the file '/nowhere' cannot be read"),
    "token": (["--token-file", __file__], "has no runner's token, which is 40 characters"),
}


@pytest.mark.parametrize(("wrong", "why"), WRONG.values(), ids=WRONG)
def test_wrong_options_are_explained(token_file, capsys, wrong, why):
    needed = ["--server", "http://127.0.0.1:1", "--token-file", str(token_file)] if wrong else []
    parser = argparse.ArgumentParser()
    options.add_options(parser)
    with pytest.raises(SystemExit):
        parser.parse_args([*needed, *wrong])
    assert why in capsys.readouterr().err


def test_options_have_values_with_units():
    assert [options.size(text) for text in ("7", "1.5K", "500M", "2g", "2GiB")] == [
        7,
        1536,
        500 * 2**20,
        2 * 2**30,
        2 * 2**30,
    ]
    assert [options.seconds(text) for text in ("0", "90", "1.5m", "8h", "2d")] == [
        0,
        90,
        90,
        28_800,
        172_800,
    ]


def test_a_folder_of_others_stays_as_it_was(token_file, tmp_path):
    (tmp_path / "others").mkdir()
    (tmp_path / "others").chmod(0o755)
    (tmp_path / "others" / "thesis.md").write_text("")
    needed = ["--server", "http://127.0.0.1:1", "--token-file", token_file]
    printed = command(*needed, "--folder", tmp_path / "others", code=1)
    assert "others has other files. Choose a folder for the runner by --folder." in printed
    assert (tmp_path / "others").stat().st_mode & 0o777 == 0o755
    printed = command(*needed, "--folder", tmp_path / "others" / "thesis.md", code=1)
    assert "CommandError: [Errno 17] File exists" in printed


# --- How it ends ----------------------------------------------------------------------------------


@contextmanager
def alone(server, folder, *, seconds=30, grace=30, largest=0):
    """Run a runner in a process of its own; its functions take that long, in seconds."""
    folder.mkdir(exist_ok=True)
    arguments = [server.url, server.token, folder, seconds, grace, largest]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.runner.alone", *map(str, arguments)],
        cwd=ROOT,
        env={},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def begun(folder):
    return (folder / "begun").exists


def jobs_in(folder):
    return list((folder / "jobs").glob("*/*"))


def test_sigterm_lets_jobs_finish(server, tmp_path):
    key = task(server)
    with alone(server, tmp_path / "runner", seconds=1) as process:
        server.wait_for(begun(tmp_path / "runner"))
        process.send_signal(signal.SIGTERM)
        printed, _ = process.communicate(timeout=60)
    assert process.returncode == 0, printed
    assert server.ended[key][0] == "finish"
    assert "train: done (" in printed
    assert not list((tmp_path / "runner" / "jobs").iterdir())


def test_sigterm_gives_back_what_takes_longer_than_the_grace(server, tmp_path):
    keys = [task(server), task(server)]
    with alone(server, tmp_path / "runner", grace=0) as process:
        server.wait_for(begun(tmp_path / "runner"))
        process.send_signal(signal.SIGTERM)
        printed, _ = process.communicate(timeout=60)
    assert process.returncode == 0, printed
    assert {key: server.ended.get(key) for key in keys} == dict.fromkeys(keys, ("give_back", {}))


def test_ctrl_c_twice_ends_it_at_once(server, tmp_path):
    key = task(server)
    with alone(server, tmp_path / "runner", seconds=300, grace=300) as process:
        server.wait_for(begun(tmp_path / "runner"))
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.2)
    assert process.returncode != 0
    assert key not in server.ended


def test_many_signals_hang_nothing(server, tmp_path):
    """A handler may interrupt another one, or the main thread while it waits."""
    with alone(server, tmp_path / "runner") as process:
        assert process.stdout.readline()
        for _ in range(50):
            process.send_signal(signal.SIGTERM)
        # One that comes after the end of the program ends Python.
        assert process.wait(60) in (0, -signal.SIGTERM)


def test_sigterm_after_ctrl_c_ends_nothing_sooner(server, tmp_path):
    """As a terminal and the parent process send them."""
    key = task(server)
    with alone(server, tmp_path / "runner", seconds=2) as process:
        server.wait_for(begun(tmp_path / "runner"))
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGTERM):
            process.send_signal(each)
        process.wait(60)
    assert process.returncode == 0
    assert server.ended[key][0] == "finish"


def test_kill_loses_nothing(server, tmp_path):
    key = task(server)
    folder = tmp_path / "runner"
    with alone(server, folder, seconds=300) as process:
        server.wait_for(begun(folder))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert len(jobs_in(folder)) == 1
    server.wait_for(lambda: not server.polling)
    # Its lease runs out, and another runner gets the job.
    server.waiting.append(server.leased[key])
    with alone(server, folder, seconds=0) as process:
        server.wait_for(lambda: key in server.ended and not jobs_in(folder))
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    assert server.ended[key][0] == "finish"
    assert not list((folder / "jobs").iterdir())


def test_runners_of_one_machine_leave_each_others_folders(server, tmp_path):
    folder = tmp_path / "runner"
    first = server.add(function=server.add_function("train", ARCHIVE), outputs=[MODEL])
    with alone(server, folder, seconds=3):
        server.wait_for(begun(folder))
        with alone(server, folder) as other:
            assert other.stdout.readline().startswith("Working for ")
            assert len(list((folder / "jobs").glob("*.lock"))) == 2
            other.send_signal(signal.SIGTERM)
            other.wait(60)
        assert len(list((folder / "jobs").glob("*.lock"))) == 1
        server.wait_for(lambda: first in server.ended)
    assert server.ended[first][0] == "finish"


def test_only_its_user_sees_its_folder(server, tmp_path):
    with alone(server, tmp_path / "runner"):
        server.wait_for(lambda: server.claims)
        assert Path(tmp_path / "runner").stat().st_mode & 0o777 == 0o700


# --- Its disk -------------------------------------------------------------------------------------


def test_a_disk_without_room_fails_one_job_and_not_the_runner(server, tmp_path):
    folder = tmp_path / "runner"
    sample = zip_of_items([Item("zeros", content=bytes(10**6))], zipfile.ZIP_DEFLATED)
    large = [
        task(server, inputs=[server.add_input("ASSET_MODEL", b"x" * 10**6)]),
        task(server, inputs=[server.add_input("ASSET_DATA_SAMPLE", sample)]),
    ]
    small = task(server)
    with alone(server, folder, seconds=0, largest=10**5) as process:
        server.wait_for(lambda: len(server.ended) == 3)
        process.send_signal(signal.SIGTERM)
        printed, _ = process.communicate(timeout=60)
    for key in large:
        name, report = server.ended[key]
        assert (name, report["error_type"], report["logs"]) == ("fail", "INTERNAL_ERROR", "")
    assert printed.count("File too large") == 2
    assert server.ended[small][0] == "finish"
    # Nothing half made stays.
    assert not list((folder / "cache" / "unfinished").iterdir())
    assert not list((folder / "jobs").iterdir())


def test_functions_do_not_write_to_the_terminal():
    printed = io.StringIO()
    Command(stdout=printed)._say("task \x1b]0;mine\x07 é\r\u202efailed\nTraceback")
    assert printed.getvalue()[9:] == "task �]0;mine� é��failed\nTraceback\n"
