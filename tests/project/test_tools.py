"""The tools that make environments: which Python is chosen, and where packages come from."""

import ensurepip
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.house.source import ROOT

UNPACK_PIP = runpy.run_path(str(ROOT / ".ci" / "unpack_pip.py"))
UV = runpy.run_path(str(ROOT / ".ci" / "uv.py"))
MAKEFILE = (ROOT / "Makefile").read_text()


@pytest.fixture
def path(tmp_path) -> Path:
    """A folder to be the PATH: the programs that the tool calls, and no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "cat", "grep", "sort", "head", "tail"):
        (folder / name).symlink_to(shutil.which(name))
    return folder


def install(folder: Path, name: str, answer: str) -> None:
    """Put a Python there that answers so when it is asked whether it fits."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\ncat >/dev/null; {answer}\n")
    (folder / name).chmod(0o700)


def find(path: Path, *arguments: str) -> subprocess.CompletedProcess:
    environment = {"PATH": str(path), "HOME": str(path.parent)}
    command = [str(ROOT / ".ci" / "find-python"), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_the_newest_python_on_the_path_is_chosen(path):
    for minor in (11, 13, 12):
        install(path, f"python3.{minor}", f"echo {minor}")
    install(path.parent / ".pyenv/versions/3.14.0/bin", "python3", "echo 14")
    assert find(path).stdout == f"{path}/python3.13\n"


def test_the_versions_of_pyenv_serve_where_the_path_has_none(path):
    install(path, "python3", 'echo "is Python 3.9"')
    for minor in (12, 14):
        install(path.parent / f".pyenv/versions/3.{minor}.0/bin", "python3", f"echo {minor}")
    assert find(path).stdout == f"{path.parent}/.pyenv/versions/3.14.0/bin/python3\n"


def test_a_machine_without_one_reads_which_were_tried_and_why(path):
    install(path, "python3.14", "exit 1")
    install(path, "python3.12", 'echo "has no module ensurepip"')
    install(path, "python3", 'echo "is Python 3.10"')
    found = find(path)
    assert (found.returncode, found.stdout) == (1, "")
    for line in (
        "python3.14: does not start",
        "python3.13: not found",
        "python3.12: has no module ensurepip",
        "python3.11: not found",
        "python3: is Python 3.10",
        "make PYTHON=/path/to/python",
    ):
        assert line in found.stderr


@pytest.mark.parametrize(
    ("there", "own", "chosen"),
    [((11, 12, 13), 13, 11), ((11, 12, 13), 11, 13), ((11, 14), 12, 14), ((11,), 12, 11)],
)
def test_the_other_python_differs_most(there, own, chosen, path):
    for minor in there:
        install(path, f"python3.{minor}", f"echo {minor}")
    assert find(path, "--except", f"3.{own}").stdout == f"{path}/python3.{chosen}\n"


def test_one_python_alone_has_no_other(path):
    install(path, "python3.13", "echo 13")
    found = find(path, "--except", "3.13")
    assert found.returncode == 1
    assert "There is no Python from 3.11 to 3.14 beside 3.13." in found.stderr


def test_this_python_fits(tmp_path):
    """The question itself: a real interpreter answers it with its minor version."""
    found = subprocess.run(
        [str(ROOT / ".ci" / "find-python")], capture_output=True, text=True, check=True
    )
    assert Path(found.stdout.strip()).exists()


def test_an_environment_gets_the_pip_of_its_python(tmp_path, monkeypatch):
    unpack = UNPACK_PIP["main"]
    monkeypatch.setattr(unpack.__globals__["sysconfig"], "get_path", lambda _: str(tmp_path))
    unpack()
    answer = subprocess.run(
        [sys.executable, "-m", "pip", "--version"],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert answer.startswith(f"pip {ensurepip.version()} from {tmp_path}")


def test_a_python_without_that_wheel_installs_pip_itself(tmp_path, monkeypatch):
    called = []
    monkeypatch.setattr(ensurepip, "version", lambda: "0.unknown")
    monkeypatch.setattr(ensurepip, "bootstrap", lambda: called.append("bootstrap"))
    UNPACK_PIP["main"]()
    assert called == ["bootstrap"]


def test_uv_installs_from_where_pip_would():
    options = UV["read_pip_options"](
        ":env:.find-links='/wheels /more'\n"
        "global.extra-index-url='https://a.example/simple\\nhttps://b.example/simple'\n"
        "global.find-links='/overridden'\n"
        "global.index-url='https://mirror.example/simple'\n"
        "install.cert='/etc/mirror.pem'\n"
        "freeze.timeout='5'\n"
    )
    assert UV["variables_of"](options) == {
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "UV_INDEX": "https://a.example/simple https://b.example/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": "/wheels,/more",
        "SSL_CERT_FILE": "/etc/mirror.pem",
    }


def test_without_a_configuration_uv_is_left_alone():
    assert UV["variables_of"](UV["read_pip_options"]("")) == {}


@pytest.fixture
def started(monkeypatch) -> list:
    """The commands that would run, with their environments; pip is configured to be offline."""
    commands = []

    def run(command, env=None, **_options):
        commands.append((command, env))
        listing = "global.no-index='true'\nglobal.find-links='/wheels'\n"
        return subprocess.CompletedProcess(command, 7, stdout=listing)

    monkeypatch.setattr(subprocess, "run", run)
    for name in UV["OWN_VARIABLES"]:
        monkeypatch.delenv(name, raising=False)
    return commands


def test_an_offline_configuration_stays_offline(started, monkeypatch):
    monkeypatch.setitem(UV["main"].__globals__, "OWN_FILES", ())
    assert UV["main"](["pip", "install", "x"]) == 7
    command, environment = started[-1]
    assert command[1:] == ["pip", "install", "x", "--no-index"]
    assert environment["UV_FIND_LINKS"] == "/wheels"


def test_lock_files_are_made_from_the_index_alone(started, monkeypatch):
    monkeypatch.setitem(UV["main"].__globals__, "OWN_FILES", ())
    UV["main"](["pip", "compile", "x"])
    _command, environment = started[-1]
    assert "UV_FIND_LINKS" not in environment


def test_the_configuration_of_uv_comes_first(started, monkeypatch):
    monkeypatch.setenv("UV_INDEX_URL", "https://own.example/simple")
    UV["main"](["pip", "install", "x"])
    [(command, environment)] = started
    assert command[1:] == ["pip", "install", "x"]
    assert "UV_FIND_LINKS" not in environment


def test_everything_installed_has_a_hash_and_no_host():
    """A lock file names packages and hashes; where they come from is the machine's to say."""
    locks = [*ROOT.glob("requirements*.lock"), *ROOT.glob("tests/sdk/*.lock")]
    assert len(locks) == 8
    for lock in locks:
        text = lock.read_text()
        packages = re.findall(r"^[A-Za-z0-9]\S*==.*$", text, re.M)
        hashed = re.findall(r"^[A-Za-z0-9]\S*==.*\\\n    --hash=sha256:", text, re.M)
        assert len(packages) == len(hashed) > 0, lock
        assert "://" not in text, lock


def test_every_sdk_has_its_lock_file():
    versions = re.search(r"^ALL_SDK_VERSIONS := (.*)", MAKEFILE, re.M)[1].split()
    locks = {path.stem.removeprefix("substra-") for path in ROOT.glob("tests/sdk/*.lock")}
    assert locks == set(versions)
    assert set(re.search(r"^SDK_VERSIONS \?= (.*)", MAKEFILE, re.M)[1].split()) < locks


def test_ci_asks_the_same_tool():
    assert ".ci/find-python" in (ROOT / ".ci" / "run").read_text()
    assert os.access(ROOT / ".ci" / "find-python", os.X_OK)


def test_the_workflow_runs_ci_with_the_least_permissions():
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    [job] = workflow["jobs"].values()
    assert workflow["permissions"] == {"contents": "read"}
    assert "permissions" not in job
    assert workflow["concurrency"]["cancel-in-progress"]
    assert job["timeout-minutes"] <= 60
    assert job["steps"][-1] == {"run": ".ci/run"}
    actions = [step["uses"] for step in job["steps"] if "uses" in step]
    assert actions
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action) for action in actions)
