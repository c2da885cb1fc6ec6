"""The process engine, for real: what functions may do, what they see, and how they end."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from threading import Event, Timer

import pytest

from assets.runner.engines import EngineError, EngineOptions, Limits, process, supervision

from .machines import LIMITS, make_job, needs_sandbox, running, without_program, write_archive

DIGEST = "the archive"
MIB = 2**20


@pytest.fixture(scope="session")
def environments(tmp_path_factory):
    """Where environments are kept: those of all tests here are the same one."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "environments"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def engine(environments):
    engine = process.create(EngineOptions(environments, cache_size=2**30))
    engine.check()
    yield engine
    engine.close()


@pytest.fixture
def run(engine, tmp_path):
    """Runs a script as a job; returns its outcome and its folder."""

    def run(script, *, limits=LIMITS, stop=None, readable=()):
        job = make_job(tmp_path / "job", script, readable=readable)
        # The limits of a job can be too low for what it runs in, whichever test is the first.
        assert not engine.build(job.function, DIGEST, LIMITS, Event()).error_type
        return engine.run(job, DIGEST, limits, stop or Event()), job

    return run


# What functions do, how that ends, and what the log says at its end.
FUNCTIONS = {
    "good": ("print('fine')", "", "fine\n"),
    "an exception": (
        "raise ValueError('no labels')",
        "EXECUTION_ERROR",
        "ValueError: no labels\nThe function ended with the exit code 1.\n",
    ),
    "an exit code": (
        "raise SystemExit(3)",
        "EXECUTION_ERROR",
        "The function ended with the exit code 3.\n",
    ),
    "a signal": (
        "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
        "EXECUTION_ERROR",
        "The function was ended by the signal SIGSEGV.\n",
    ),
    "printed to both, in order": (
        "import sys; print('a'); print('b', file=sys.stderr); print('c')",
        "",
        "a\nb\nc\n",
    ),
    "its output closed, and more to do": (
        "import os, time; print('a'); os.close(1); os.close(2); time.sleep(0.3); os._exit(4)",
        "EXECUTION_ERROR",
        "a\nThe function ended with the exit code 4.\n",
    ),
}


@needs_sandbox
@pytest.mark.parametrize(("script", "error_type", "log"), FUNCTIONS.values(), ids=FUNCTIONS)
def test_an_outcome_says_how_a_function_ended(run, script, error_type, log):
    outcome, _ = run(script)
    assert (outcome.error_type, outcome.logs.decode()[-len(log) :]) == (error_type, log)


# What functions do too much of, with what limits, and the cause in their logs.
EXCESSES = {
    "time": ("while True: pass", {"seconds": 1}, "ran for more than 1 seconds"),
    "memory": (
        "kept = []\nwhile True: kept.append(bytearray(2**20))",
        {"memory": 200 * MIB},
        "used more than 200 MiB of memory",
    ),
    "memory of processes together": (
        "import os, time\n"
        "for _ in range(3): os.fork() or (bytearray(100 * 2**20), time.sleep(60))\n"
        "kept = [bytearray(2**20) for _ in range(100)]\ntime.sleep(60)",
        {"memory": 150 * MIB},
        "used more than 150 MiB of memory",
    ),
    "many files": (
        "import itertools\nfor i in itertools.count(): open(str(i), 'wb').write(bytes(2**20))",
        {"output_bytes": 5 * MIB},
        "wrote more than 5 MiB",
    ),
    "one file": (
        "open('/tmp/a', 'wb').write(bytes(20 * 2**20))",
        {"output_bytes": 5 * MIB},
        "wrote more than 5 MiB",
    ),
    "a file without a name": (
        "import os, time\nopened = []\n"
        "for i in range(8):\n"
        "    opened.append(open('a', 'wb'))\n"
        "    os.unlink('a')\n"
        "    opened[-1].write(bytes(2**20))\n"
        "time.sleep(60)",
        {"output_bytes": 5 * MIB},
        "wrote more than 5 MiB",
    ),
    "processes": (
        "import os, time\nfor _ in range(30): os.fork() or time.sleep(60)\ntime.sleep(60)",
        {},
        "started more than 20 processes",
    ),
}


@needs_sandbox
@pytest.mark.parametrize(("script", "limits", "cause"), EXCESSES.values(), ids=EXCESSES)
def test_a_function_that_takes_too_much_ends_with_the_cause(
    run, monkeypatch, script, limits, cause
):
    for module in (process, supervision):
        monkeypatch.setattr(module, "MAX_PROCESSES", 20)
    allowed = {"seconds": 60, "memory": 2**30, "output_bytes": 2**26, **limits}
    outcome, job = run(script, limits=Limits(**allowed))
    assert outcome.error_type == "EXECUTION_ERROR"
    assert cause in outcome.logs.decode().splitlines()[-1]
    assert not running(str(job.path))


@needs_sandbox
def test_what_a_function_does_not_close_is_written(run):
    _, job = run("unclosed = open('a', 'w')\nunclosed.write('all of it')")
    assert (job.work / "a").read_text() == "all of it"


@needs_sandbox
def test_memory_that_is_asked_for_at_once_is_refused(run):
    outcome, _ = run("bytearray(2**34)")
    assert (outcome.error_type, b"MemoryError" in outcome.logs) == ("EXECUTION_ERROR", True)


@needs_sandbox
def test_children_that_share_memory_count_it_once(run):
    script = (
        "import os, time\nkept = bytearray(150 * 2**20)\n"
        "for _ in range(4): os.fork() or (time.sleep(0.5), os._exit(0))\ntime.sleep(0.5)"
    )
    outcome, _ = run(script, limits=Limits(seconds=60, memory=400 * MIB, output_bytes=MIB))
    assert outcome.error_type == ""


@needs_sandbox
def test_the_end_of_a_long_log_is_kept(run):
    script = "for _ in range(32): print('x' * 2**20)\nprint('the end')"
    outcome, job = run(script)
    assert (len(outcome.logs), outcome.logs[-8:]) == (LIMITS.log_bytes, b"the end\n")
    assert sum(path.stat().st_size for path in job.work.iterdir() if path.is_file()) < MIB


@needs_sandbox
def test_what_a_function_leaves_running_ends_with_it(run):
    outcome, job = run("import os, time\nif not os.fork():\n    os.setsid()\n    time.sleep(60)")
    assert outcome.error_type == ""
    assert not running(str(job.path))


@needs_sandbox
def test_stop_ends_a_function_at_once(run):
    stop, started = Event(), time.monotonic()
    Timer(0.5, stop.set).start()
    _, job = run("import time; time.sleep(60)", stop=stop)
    assert time.monotonic() - started < 20
    assert not running(str(job.path))


@needs_sandbox
def test_a_function_dies_with_its_runner(environments, tmp_path):
    job = make_job(tmp_path / "job", "import time; open('started', 'w'); time.sleep(60)")
    script = f"""
import threading
from pathlib import Path, PosixPath
from assets.runner.engines import EngineOptions, process
from tests.runner.machines import LIMITS, JobFolder, read_entry
job = JobFolder(Path({str(job.path)!r}), {job.readable!r}, read_entry(Path({str(job.function)!r})))
engine = process.create(EngineOptions(Path({str(environments)!r}), 2**30))
engine.run(job, {DIGEST!r}, LIMITS, threading.Event())
"""
    runner = subprocess.Popen([sys.executable, "-c", script], cwd=Path(__file__).parents[2])
    wait_for((job.work / "started").exists)
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    wait_for(lambda: not running(str(job.function)))


def wait_for(happened):
    for _ in range(600):
        if happened():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen within 30 seconds")


@needs_sandbox
def test_a_function_sees_nothing_but_its_job(run, tmp_path, monkeypatch):
    monkeypatch.setenv("REGISTRAR_SECRET", "of the runner")
    (tmp_path / "another").mkdir()
    (tmp_path / "sample").mkdir()
    (tmp_path / "sample" / "data.csv").write_text("1,2")
    script = f"""
import os, pathlib
for path in ("/etc/shadow", "/etc/passwd", "/home", "/var", "/sys"):
    assert not os.path.exists(path), path
assert sorted(os.listdir({str(tmp_path)!r})) == ["job", "job-function", "sample"]
assert "REGISTRAR_SECRET" not in os.environ
assert [p for p in os.listdir("/proc") if p.isdigit()] == ["1", "2"], os.listdir("/proc")
assert os.getuid() and not os.access("/proc/sys/kernel/core_pattern", os.W_OK)
assert pathlib.Path({str(tmp_path / "sample" / "data.csv")!r}).read_text() == "1,2"
assert pathlib.Path("Dockerfile").is_file() and os.environ["HOME"] == os.getcwd()
"""
    outcome, _ = run(script, readable=(tmp_path / "sample",))
    assert outcome.logs.decode() == ""


@needs_sandbox
@pytest.mark.parametrize(("count", "nested"), [(100, 0), (101, 3)])
def test_a_function_reads_any_number_of_samples_and_no_other(run, tmp_path, count, nested):
    root = tmp_path / "root"
    samples = [root / str(number) for number in range(count + 1)]
    samples += [root / "further" / str(number) for number in range(nested)]
    for sample in samples:
        sample.mkdir(parents=True)
        (sample / "data.csv").write_text(sample.name)
    shown = [path for path in samples if path.name != "7"] + [root / "0" / "data.csv"]
    script = f"""
import os, pathlib
root = pathlib.Path({str(root)!r})
assert len(list(root.glob("[0-9]*/data.csv"))) == {count}
assert not (root / "7").exists() and (root / "8" / "data.csv").read_text() == "8"
assert len(list(root.glob("further/*/data.csv"))) == {nested}
(root / "8" / "data.csv").open("w")
"""
    outcome, _ = run(script, readable=tuple(shown))
    assert b"OSError: [Errno 30] Read-only file system" in outcome.logs
    assert (root / "8" / "data.csv").read_text() == "8"


@needs_sandbox
@pytest.mark.parametrize(
    "place", ["function/x", "x", "arguments", "../sample/x", "/x", "/dev/x", "/usr/x", "/etc/x"]
)
def test_a_function_writes_only_to_its_own_folders(run, tmp_path, place):
    (tmp_path / "sample").mkdir()
    outcome, job = run(f"open('{tmp_path / 'job' / place}', 'w')", readable=(tmp_path / "sample",))
    assert b"OSError: [Errno 30] Read-only file system" in outcome.logs
    assert job.arguments.read_text()


@needs_sandbox
def test_a_function_has_no_network(run):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        port = server.getsockname()[1]
        outcome, _ = run(f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)")
        assert b"Error" in outcome.logs
        with pytest.raises(BlockingIOError):
            server.accept()


@needs_sandbox
@pytest.mark.parametrize("count", [1, 200])
def test_a_sandbox_that_cannot_start_is_no_fault_of_the_function(run, tmp_path, count):
    outcome, _ = run("", readable=tuple(tmp_path / f"missing-{n}" for n in range(count)))
    assert outcome.error_type == "INTERNAL_ERROR"
    assert b"missing" in outcome.logs


@needs_sandbox
def test_a_build_makes_what_a_run_uses(engine, tmp_path):
    archive = write_archive(tmp_path / "archive")
    assert engine.build(archive, DIGEST, LIMITS, Event()).error_type == ""
    archive.joinpath("Dockerfile").write_text("FROM x")
    outcome = engine.build(archive, "another", LIMITS, Event())
    assert outcome.error_type == "BUILD_ERROR"
    assert b"has no ENTRYPOINT. Add one" in outcome.logs


# --- Without a sandbox ---------------------------------------------------------------------------


def test_without_bubblewrap_the_engine_says_what_to_do(monkeypatch, environments):
    without_program(monkeypatch, "bwrap")
    with pytest.raises(EngineError, match=r"Install the package bubblewrap\..*--trust-functions"):
        process.create(EngineOptions(environments, 2**30)).check()


def test_without_what_makes_environments_the_engine_says_what_to_do(
    monkeypatch, environments, tmp_path
):
    """As on a Debian without python3-venv; the machine's other programs are there."""
    for name in ("bwrap", "prlimit"):
        (tmp_path / name).symlink_to(shutil.which(name) or "/bin/true")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(EngineError, match=r"module venv .* Install the package python3-venv\."):
        process.create(EngineOptions(environments, 2**30)).check()


@pytest.fixture
def trusting(monkeypatch, environments):
    """An engine on a machine without bubblewrap, whose functions are trusted."""
    without_program(monkeypatch, "bwrap")
    engine = process.create(EngineOptions(environments, 2**30, trust_functions=True))
    engine.check()
    return engine


@pytest.mark.parametrize(
    ("script", "seconds", "error_type", "cause"),
    [
        ("print('fine')", 60, "", "fine"),
        ("while True: pass", 1, "EXECUTION_ERROR", "ran for more than 1 seconds"),
        (
            "import os, time\nif not os.fork(): os.setsid()\ntime.sleep(60)",
            2,
            "EXECUTION_ERROR",
            "ran for more than 2 seconds",
        ),
    ],
)
def test_trusted_functions_run_with_limits(trusting, tmp_path, script, seconds, error_type, cause):
    job = make_job(tmp_path / "job", script)
    assert trusting.build(job.function, DIGEST, LIMITS, Event()).error_type == ""
    outcome = trusting.run(job, DIGEST, Limits(seconds, 2**30, 2**26), Event())
    assert (outcome.error_type, cause in outcome.logs.decode()) == (error_type, True)
    assert not running(str(job.path))
