"""Environments of functions: made once for all, by pip as the machine is configured."""

import inspect
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

import pytest

from assets.runner.dockerfile import read_entry
from assets.runner.engines import EngineOptions, Limits, process

from .machines import LIMITS, WHEEL, needs_sandbox, running, write_archive, write_wheel

ENTRYPOINT = 'ENTRYPOINT ["python3", "function.py", "--function-name", "f"]\n'


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "environments"
    folder.mkdir()
    return folder


@pytest.fixture
def engine(folder):
    engine = process.create(EngineOptions(folder, cache_size=2**30))
    engine.check()
    return engine


def kept(folder):
    return sorted((folder / "entries").iterdir())


@needs_sandbox
def test_two_functions_with_the_same_packages_share_an_environment(folder, tmp_path):
    archives = [write_archive(tmp_path / name, f"print({name!r})") for name in ("a", "b", "c", "d")]
    # Two runners, with two jobs each at once.
    engines = [process.create(EngineOptions(folder, 2**30)) for _ in range(2)]

    def build(number):
        engine = engines[number % 2]
        engine.check()
        return engine.build(archives[number], str(number), LIMITS, Event())

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(build, range(4)))
    assert [outcome.error_type for outcome in outcomes] == [""] * 4
    assert len(kept(folder)) == 1
    assert not list((folder / "unfinished").iterdir())


@needs_sandbox
def test_packages_come_from_the_archive_and_from_where_the_machine_says(
    engine, folder, tmp_path, monkeypatch
):
    index = tmp_path / "index"
    index.mkdir()
    write_wheel(index / "fromindex-2.0-py3-none-any.whl")
    configuration = tmp_path / "pip.conf"
    # What would make pip fail, or install elsewhere, does not count.
    configuration.write_text(
        "[global]\nfind-links = /missing\ntarget = /elsewhere\n"
        f"[install]\nfind-links =\n    {index}\nno-index = true\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(configuration))
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    archive = write_archive(
        tmp_path / "archive",
        dockerfile=f"FROM x\nRUN pip install -r list.txt /app/{WHEEL}\n{ENTRYPOINT}",
    )
    write_wheel(archive / "inarchive-1.0-py3-none-any.whl")
    (archive / "list.txt").write_text("fromindex>=2\n./inarchive-1.0-py3-none-any.whl\n")
    outcome = engine.build(archive, "x", LIMITS, Event())
    assert outcome.logs.decode() == ""
    (environment,) = kept(folder)
    packages = next(environment.glob("lib/python*/site-packages"))
    assert {"fromindex", "inarchive", "substratools"} <= {path.name for path in packages.iterdir()}
    assert list((packages / "fromindex" / "__pycache__").iterdir())
    # Its programs start its own Python, where it is now.
    shown = subprocess.run([environment / "bin" / "pip", "--version"], capture_output=True)
    assert str(environment) in shown.stdout.decode()


@needs_sandbox
def test_a_package_that_is_missing_is_a_build_error_with_the_log_of_pip(
    engine, folder, tmp_path, monkeypatch
):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    archive = write_archive(
        tmp_path / "archive", dockerfile=f"RUN pip install missing-package\n{ENTRYPOINT}"
    )
    outcome = engine.build(archive, "x", LIMITS, Event())
    assert outcome.error_type == "BUILD_ERROR"
    log = outcome.logs.decode()
    assert log.startswith("$ pip install missing-package\n")
    assert "No matching distribution found for missing-package" in log
    assert not kept(folder)


@needs_sandbox
def test_an_index_that_cannot_be_reached_is_no_fault_of_the_function(engine, tmp_path, monkeypatch):
    # No one listens there.
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    archive = write_archive(
        tmp_path / "archive", dockerfile=f"RUN pip install missing-package\n{ENTRYPOINT}"
    )
    outcome = engine.build(archive, "x", LIMITS, Event())
    assert outcome.error_type == "INTERNAL_ERROR"
    assert b"pip cannot reach the index" in outcome.logs


@needs_sandbox
@pytest.mark.parametrize(
    ("limits", "size", "cause"),
    [
        (Limits(0.3, 2**30, 2**26), 2**30, "The installation of packages ran for more than 0.3"),
        (LIMITS, 2**20, "The packages take more than 1 MiB"),
        (replace(LIMITS, memory=2**20), 2**30, "installation of packages used more than 1 MiB"),
    ],
    ids=["time", "size", "memory"],
)
def test_a_build_has_limits(folder, tmp_path, limits, size, cause):
    engine = process.create(EngineOptions(folder, size))
    engine.check()
    outcome = engine.build(write_archive(tmp_path / "archive"), "x", limits, Event())
    assert (outcome.error_type, cause in outcome.logs.decode()) == ("BUILD_ERROR", True)
    assert not kept(folder)


@needs_sandbox
def test_stop_ends_a_build_at_once_and_nothing_is_kept(engine, folder, tmp_path):
    stop = Event()
    with ThreadPoolExecutor(2) as pool:
        # One of them installs, and the other one waits for it.
        archives = [write_archive(tmp_path / name) for name in ("a", "b")]
        builds = [pool.submit(engine.build, each, "x", LIMITS, stop) for each in archives]
        time.sleep(0.3)
        stop.set()
        started = time.monotonic()
    assert time.monotonic() - started < 20
    assert all(build.result().error_type for build in builds)
    assert not kept(folder)
    assert not running(str(folder))


# The builder of a package, which pip runs. It tries to have the runner write elsewhere, by links.
BACKEND = """
import glob, os, sys
sys.path.insert(0, os.getcwd())
from machines_wheel import write_wheel
from pathlib import Path

assert os.listdir({folder!r}) == ["environments"]
(startup,) = glob.glob(sys.prefix + "/lib/python*/site-packages/registrar.pth")
if not os.path.islink(startup):
    os.unlink(startup)
    os.symlink({folder!r} + "/data/new", startup)
    os.symlink({folder!r} + "/mine", sys.prefix + "/bin/link")

def build_wheel(folder, settings=None, metadata=None):
    write_wheel(Path(folder, "own-1.0-py3-none-any.whl"))
    return "own-1.0-py3-none-any.whl"
"""


@needs_sandbox
def test_what_pip_runs_sees_and_changes_nothing_of_the_machine(engine, folder, tmp_path):
    """A package may bring code that pip runs: with the network, so it must see no data."""
    (tmp_path / "data").mkdir()
    (tmp_path / "mine").write_text("#!/bin/sh")
    archive = write_archive(
        tmp_path / "archive", dockerfile=f"RUN pip install ./own ./{WHEEL}\n{ENTRYPOINT}"
    )
    (archive / "own").mkdir()
    (archive / "own" / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    (archive / "own" / "backend.py").write_text(BACKEND.format(folder=str(tmp_path)))
    source = f"import zipfile\nfrom pathlib import Path\n{inspect.getsource(write_wheel)}"
    (archive / "own" / "machines_wheel.py").write_text(source)
    outcome = engine.build(archive, "x", LIMITS, Event())
    assert outcome.logs.decode() == ""
    (environment,) = kept(folder)
    assert (environment / "bin" / "link").is_symlink()
    assert (tmp_path / "mine").read_text() == "#!/bin/sh"
    assert not list((tmp_path / "data").iterdir())


@needs_sandbox
def test_a_version_of_python_that_is_missing_is_named(engine, tmp_path):
    archive = write_archive(
        tmp_path / "archive", dockerfile=ENTRYPOINT.replace("python3", "python3.99")
    )
    assert read_entry(archive).interpreter == "python3.99"
    outcome = engine.build(archive, "x", LIMITS, Event())
    assert outcome.error_type == "BUILD_ERROR"
    assert b"needs Python 3.99 with its module venv" in outcome.logs
