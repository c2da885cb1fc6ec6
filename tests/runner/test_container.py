"""The container engine, with a real daemon: what functions can do, and what they cannot."""

import os
import socket
import subprocess
import sys
import time
from collections import namedtuple
from contextlib import ExitStack
from copy import copy
from hashlib import sha256
from pathlib import Path
from threading import Event, Lock, Timer

import pytest
from docker.errors import APIError, NotFound

from assets.runner.dockerfile import Entry
from assets.runner.engines import EngineError, EngineOptions, JobFolder, Limits, container, images
from assets.runner.engines.daemons import Daemon
from tests.runner import podman

pytestmark = pytest.mark.skipif(bool(podman.missing()), reason=podman.missing() or "none")

LIMITS = Limits(seconds=60, memory=2**28, output_bytes=10**7)
CLOSED = "tcp://127.0.0.1:1"  # where nothing listens
DOCKERFILE = f"""\
FROM {podman.IMAGE}
WORKDIR /code
COPY function.py .
"""
ENTRYPOINT = 'ENTRYPOINT ["python3", "function.py", "--function-name", "train"]\n'
# One image runs the sources of almost all tests: they are the first argument.
SCRIPT = """\
import sys
exec(open(sys.argv[-1][1:]).read().split("\\0")[0])
"""
Result = namedtuple("Result", "error_type logs outputs")


@pytest.fixture(scope="module")
def address():
    with ExitStack() as stack:
        try:
            address = stack.enter_context(podman.daemon())
        except podman.NoDaemon as error:
            pytest.skip(f"containers do not start here: {error}")
        yield address


@pytest.fixture(scope="module")
def checked(address, tmp_path_factory):
    """Return an engine that was checked, which Podman takes its time for."""
    folder = tmp_path_factory.mktemp("engine")
    engine = container.create(EngineOptions(folder, cache_size=10**9, docker_host=address))
    engine.check()
    return engine


@pytest.fixture
def engine(checked):
    return copy(checked)


@pytest.fixture
def job(tmp_path):
    folder = JobFolder(tmp_path / "job", (), Entry("python3", "function.py", "train"))
    for path in (folder.path, folder.function, folder.work, folder.outputs):
        path.mkdir()
        path.chmod(0o755)
    _write(folder.function / "function.py", SCRIPT)
    _write(folder.function / "Dockerfile", DOCKERFILE + ENTRYPOINT)
    return folder


@pytest.fixture
def run(engine, job):
    """Return a function that runs the source of a function, and returns how that went."""

    def run(source, limits=LIMITS, stop=None, readable=(), dockerfile=DOCKERFILE + ENTRYPOINT):
        _write(job.function / "Dockerfile", dockerfile)
        for left in job.work.iterdir():
            left.unlink()
        _write(job.arguments, f"{source}\0--rank\n1\n")
        folder = JobFolder(job.path, readable, job.entry)
        digest = sha256(dockerfile.encode()).hexdigest()
        outcome = engine.build(folder.function, digest, LIMITS, Event())
        if not outcome.error_type:
            outcome = engine.run(folder, digest, limits, stop or Event())
        outputs = {path.name: path.read_text() for path in job.outputs.iterdir()}
        return Result(outcome.error_type, outcome.logs.decode(), outputs)

    return run


def _write(path, text):
    path.unlink(missing_ok=True)
    path.write_text(text)
    path.chmod(0o444)


@pytest.fixture
def data(tmp_path):
    """Return the folder of a data sample."""
    folder = tmp_path / "sample"
    folder.mkdir()
    (folder / "data.csv").write_text("1,2")
    for path in (folder, folder / "data.csv"):
        path.chmod(0o555)
    return folder


def test_a_function_reads_its_arguments_and_inputs_and_writes_outputs(run, job, data):
    result = run(
        "import os, sys\n"
        f"data = open('{data}/data.csv').read()\n"
        "arguments = open(sys.argv[-1][1:]).read().split('\\0')[1].split()\n"
        f"open('{job.outputs}/model', 'w').write(repr([data, sys.argv[1:3], arguments]))\n"
        "open('note', 'w').write('in the working folder')\n"
        "print(os.environ['HOME'], os.environ['TMPDIR'], os.getcwd(), sys.path[0])\n",
        readable=(data,),
    )
    assert result == (
        "",
        f"{job.work} {job.work} {job.work} /code\n",
        {"model": "['1,2', ['--function-name', 'train'], ['--rank', '1']]"},
    )


def test_a_function_reads_many_samples(run, tmp_path):
    samples = [tmp_path / f"sample-{number}" for number in range(500)]
    for sample in samples:
        sample.mkdir()
        sample.chmod(0o755)
    found = "import pathlib; print(len(list(pathlib.Path({!r}).glob('sample-*'))))"
    assert run(found.format(str(tmp_path)), readable=tuple(samples)).logs == "500\n"


def test_a_function_that_raises_leaves_its_traceback(run):
    result = run("raise ValueError('no such column')")
    assert result.error_type == "EXECUTION_ERROR"
    assert result.logs.startswith("Traceback (most recent call last):\n")
    assert result.logs.endswith(
        "ValueError: no such column\nThe function ended with the exit code 1.\n"
    )


FORBIDDEN = {
    "writes to its image": ("open('/code/x', 'w')", "Read-only file system"),
    "writes to its archive": ("open(job + '/function/x', 'w')", "Read-only file system"),
    "writes to its inputs": ("open(data + '/x', 'w')", "Read-only file system"),
    "reads another job": ("open(job + '/../secret').read()", "No such file or directory"),
    "becomes root": ("import os; os.setuid(0)", "Operation not permitted"),
    "calls out": ("socket.create_connection(('192.0.2.1', 80))", "Network is unreachable"),
    "calls this machine": ("socket.create_connection(('127.0.0.1', port))", "Connection refused"),
    "sees other processes": ("open('/proc/' + str(pid))", "No such file or directory"),
}


@pytest.mark.parametrize(("source", "message"), FORBIDDEN.values(), ids=FORBIDDEN)
def test_a_function_reaches_nothing_but_its_job(
    run, job, data, tmp_path, live_port, source, message
):
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "secret").chmod(0o444)
    known = f"job, data, port, pid = {str(job.path)!r}, {str(data)!r}, {live_port}, {os.getpid()}\n"
    result = run(f"import socket\n{known}{source}", readable=(data,))
    assert result.error_type == "EXECUTION_ERROR"
    assert message in result.logs


@pytest.fixture
def live_port():
    """Return a port of this machine that answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


ENDED = {
    "takes too long": (
        "import time; time.sleep(1000)",
        {"seconds": 0.5},
        "The function ran for more than 0.5 seconds.",
    ),
    "fills the disk": (
        "import os\nf = open(os.environ['HOME'] + '/f', 'wb')\nwhile True: f.write(bytes(10**6))",
        {},
        "The function wrote more than 9.537 MiB.",
    ),
    "takes too much memory": ("bytearray(2**29)", {}, "more than 256 MiB of memory. Give it less"),
    "starts processes without end": (
        "import os, time\nwhile os.fork(): pass\ntime.sleep(1000)",
        {"memory": 2**31},
        "Resource temporarily unavailable",
    ),
}


@pytest.mark.parametrize(("source", "limits", "message"), ENDED.values(), ids=ENDED)
def test_a_function_beyond_its_limits_ends(run, source, limits, message):
    values = {"seconds": 60, "memory": 2**28, "output_bytes": 10**7, **limits}
    result = run(source, limits=Limits(**values))
    assert result.error_type == "EXECUTION_ERROR"
    assert message in result.logs


def test_of_a_long_log_the_end_stays(run):
    result = run("print('a line of text\\n' * 200_000 + 'the last line')")
    assert result.error_type == ""
    assert len(result.logs) == LIMITS.log_bytes
    assert result.logs.endswith("text\nthe last line\n")


def test_a_function_that_closes_its_output_runs_to_its_end(run, job):
    result = run(
        "import os, time\nos.close(1)\nos.close(2)\ntime.sleep(0.5)\n"
        f"open('{job.outputs}/model', 'w').write('done')"
    )
    assert result == ("", "", {"model": "done"})


def test_a_job_that_is_no_longer_wanted_ends(run, engine):
    stop = Event()
    Timer(0.5, stop.set).start()
    run("import time; time.sleep(1000)", stop=stop)
    assert _containers(engine) == []


BROKEN = {
    "an instruction fails": (
        DOCKERFILE + 'RUN ["python3", "-c", "raise ValueError(7)"]\n' + ENTRYPOINT,
        "BUILD_ERROR",
        "ValueError: 7",
    ),
    "an instruction does not exist": (
        DOCKERFILE + "INSTALL numpy\n" + ENTRYPOINT,
        "BUILD_ERROR",
        "INSTALL",
    ),
    "its interpreter does not exist": (
        DOCKERFILE + 'ENTRYPOINT ["ruby", "function.py", "--function-name", "train"]\n',
        "EXECUTION_ERROR",
        "ruby",
    ),
}


@pytest.mark.parametrize(("dockerfile", "error", "message"), BROKEN.values(), ids=BROKEN)
def test_a_function_that_cannot_start_says_why(run, dockerfile, error, message):
    result = run("pass", dockerfile=dockerfile)
    assert result.error_type == error
    assert message in result.logs


def test_a_build_that_takes_too_long_ends(engine, job):
    slow = 'RUN ["python3", "-c", "import time; time.sleep(3)"]\n'
    _write(job.function / "Dockerfile", DOCKERFILE + slow + ENTRYPOINT)
    outcome = engine.build(job.function, "slow", Limits(0.5, 2**28, 10**7), Event())
    assert outcome.error_type == "BUILD_ERROR"
    assert b"Building the function ran for more than 0.5 seconds." in outcome.logs


def test_images_beyond_the_size_go_and_are_built_again(run, engine, monkeypatch):
    first, second = (DOCKERFILE + ENTRYPOINT + f"ENV NUMBER={n}\n" for n in (1, 2))
    source = "import os; print(os.environ['NUMBER'])"
    assert run(source, dockerfile=first).logs == "1\n"
    with monkeypatch.context() as patch:
        patch.setattr(engine, "_images_size", 0)
        assert run(source, dockerfile=second).logs == "2\n"
    with Daemon(**engine._address) as daemon:
        assert len(daemon.images(images.REPOSITORY)) == 1
    assert run(source, dockerfile=first).logs == "1\n"


def remove_image(engine, tag):
    """Remove an image as soon as the containers that built it are gone."""
    with Daemon(**engine._address) as daemon:
        for _ in range(100):
            try:
                return daemon.remove_image(tag)
            except NotFound:
                return None
            except APIError:
                time.sleep(0.1)
        return daemon.remove_image(tag)


def test_an_image_that_goes_before_its_job_starts_is_built_again(run, engine, monkeypatch):
    removed, build = [], engine.build

    def build_and_remove(function, digest, limits, stop):
        outcome = build(function, digest, limits, stop)
        if len(removed) < 2:  # the first of these is that of the fixture
            remove_image(engine, images.tag(digest))
            removed.append(digest)
        return outcome

    monkeypatch.setattr(engine, "build", build_and_remove)
    assert run("print(1)").logs == "1\n"
    assert len(removed) == 2


def test_a_job_that_waits_for_the_build_of_another_can_end(engine, job):
    stop = Event()
    stop.set()
    engine._building["digest"] = Lock()
    with engine._building["digest"]:
        outcome = engine.run(job, "digest", LIMITS, stop)
    assert outcome.error_type == "INTERNAL_ERROR"


def test_a_daemon_that_is_lost_is_no_fault_of_the_function(run, engine, monkeypatch):
    monkeypatch.setitem(engine._address, "base_url", CLOSED)
    with pytest.raises(EngineError, match="Docker or Podman no longer answers: "):
        run("pass")


def test_a_job_that_the_daemon_refuses_fails_alone(run):
    result = run("print(1)", readable=(Path("relative"),))
    assert result.error_type == "INTERNAL_ERROR"
    assert result.logs.startswith("The container engine failed: ")


def test_without_a_daemon_the_engine_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", CLOSED)
    with pytest.raises(EngineError, match=r"Neither Docker nor Podman answers. Install one"):
        container.create(EngineOptions(tmp_path, cache_size=0)).check()


@pytest.mark.parametrize(
    ("info", "user"),
    [
        ({"SecurityOptions": None}, podman.USER),
        ({"SecurityOptions": ["name=rootless"]}, "0"),  # as Docker says it
        ({"SecurityOptions": [], "Rootless": True}, "0"),  # as Podman says it
        ({"SecurityOptions": ["name=selinux"], "MemoryLimit": True}, podman.USER),
    ],
)
def test_functions_are_no_one_who_matters(run, engine, monkeypatch, info, user):
    monkeypatch.setattr(Daemon, "info", lambda _daemon: info)
    engine.check()
    assert run("import os; print(os.getuid())").logs == f"{user}\n"


def test_a_daemon_that_cannot_limit_memory_is_refused(engine, monkeypatch):
    info = {"SecurityOptions": [], "MemoryLimit": False}
    monkeypatch.setattr(Daemon, "info", lambda _daemon: info)
    with pytest.raises(EngineError, match="cannot limit the memory of containers .* Use version 2"):
        engine.check()


def test_containers_of_killed_runners_are_removed(engine, run):
    run("pass")
    with Daemon(**engine._address) as daemon:
        image = daemon.images(images.REPOSITORY)[0]["RepoTags"][0]
        dead = subprocess.Popen([sys.executable, "-c", ""])
        dead.wait()
        machine = container._this_process().rpartition(":")[0]
        for pid in (dead.pid, os.getpid()):
            daemon.create_container(image, labels={container.LABEL: f"{machine}:{pid}"})
    engine.check()
    left = _containers(engine)
    assert left == [f"{machine}:{os.getpid()}"]
    with Daemon(**engine._address) as daemon:
        for found in daemon.containers(all=True, filters={"label": container.LABEL}):
            daemon.remove_container(found["Id"])


def _containers(engine):
    """Return the labels of the containers of runners."""
    with Daemon(**engine._address) as daemon:
        found = daemon.containers(all=True, filters={"label": container.LABEL})
        return [entry["Labels"][container.LABEL] for entry in found]
