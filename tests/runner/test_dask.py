"""The dask engine, on a cluster of one scheduler and two workers, of which some are killed."""

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Event, Timer

import pytest

from assets.runner.dockerfile import Entry
from assets.runner.engines import EngineError, EngineOptions, JobFolder, Limits, Outcome, dask
from tests.runner import cluster

LIMITS = Limits(seconds=60, memory=2**28, output_bytes=10**7)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Return the address of a scheduler without workers."""
    with cluster.scheduler(tmp_path_factory.mktemp("cluster")) as (address, _process):
        yield address


@pytest.fixture
def workers(address, tmp_path):
    """Return the processes of two workers."""
    with ExitStack() as stack:
        yield [stack.enter_context(cluster.worker(tmp_path, address)) for _ in range(2)]


@pytest.fixture
def engine(address, workers, tmp_path):
    folder = tmp_path / "engine"
    folder.mkdir()
    engine = dask.create(EngineOptions(folder, cache_size=0, scheduler=address))
    engine.check()
    engine._client.wait_for_workers(2, timeout=cluster.PATIENCE)
    yield engine
    engine.close()


@pytest.fixture
def job(tmp_path):
    folder = JobFolder(tmp_path / "job", (), Entry("python3", "function.py", "train"))
    for path in (folder.function, folder.work, folder.outputs):
        path.mkdir(parents=True)
    return folder


def _write(job, *lines):
    (job.function / "function.py").write_text("\n".join(lines))


def _wait_for(folder, pattern, count=1):
    deadline = time.monotonic() + cluster.PATIENCE
    while len(found := sorted(folder.glob(pattern))) < count:
        assert time.monotonic() < deadline, f"{pattern} does not appear"
        time.sleep(0.02)
    return found


def _is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_jobs_run_on_workers(engine, workers, job):
    _write(
        job,
        "import os, sys",
        "open('../outputs/model', 'w').write(str(os.getppid()))",
        "print(sys.argv[1])",
    )
    outcome = engine.run(job, "digest", LIMITS, Event())
    assert outcome == Outcome(logs=f"@{job.arguments}\n".encode())
    assert int((job.outputs / "model").read_text()) in {worker.pid for worker in workers}


def test_failures_of_functions_come_back(engine, job):
    _write(job, "raise ValueError('no such column')")
    outcome = engine.run(job, "digest", LIMITS, Event())
    assert outcome.error_type == "EXECUTION_ERROR"
    assert outcome.logs.endswith(b"ValueError: no such column\n")


def test_builds_run_on_workers(engine, job):
    assert engine.build(job.function, "digest", LIMITS, Event()) == Outcome(
        "BUILD_ERROR", b"function digest"
    )


def test_workers_share_jobs_that_run_at_once(engine, workers, job, tmp_path):
    others = JobFolder(tmp_path / "other", (), job.entry)
    shutil.copytree(job.path, others.path)
    for folder in (job, others):
        _write(
            folder,
            "import os, pathlib, time",
            "seen = pathlib.Path('../..')",
            "(seen / f'at-{os.getppid()}').touch()",
            "while len(list(seen.glob('at-*'))) < 2: time.sleep(0.02)  # for the other one",
        )
    with ThreadPoolExecutor() as pool:
        both = [pool.submit(engine.run, each, "digest", LIMITS, Event()) for each in (job, others)]
        assert [each.result() for each in both] == [Outcome(), Outcome()]


WAITS = (
    "import os, pathlib, time",
    "seen = pathlib.Path('../..')",
    "(seen / f'started-{os.getppid()}-{os.getpid()}').touch()",
    "pathlib.Path('../outputs/model').write_text(str(os.getppid()))",
    "while not (seen / 'go').exists(): time.sleep(0.02)",
)


def test_another_worker_runs_the_job_of_one_that_was_killed(engine, workers, job, tmp_path):
    _write(job, *WAITS)
    with ThreadPoolExecutor() as pool:
        outcome = pool.submit(engine.run, job, "digest", LIMITS, Event())
        (first,) = _wait_for(tmp_path, "started-*")
        first_pid = int(first.name.split("-")[1])
        (killed,) = [worker for worker in workers if worker.pid == first_pid]
        (left,) = [worker for worker in workers if worker is not killed]
        cluster.kill(killed)
        _wait_for(tmp_path, "started-*", 2)
        (tmp_path / "go").touch()
        assert outcome.result() == Outcome()
    assert [path.read_text() for path in job.outputs.iterdir()] == [str(left.pid)]
    assert len(list(tmp_path.glob("started-*"))) == 2


def test_a_job_that_is_no_longer_wanted_ends_on_its_worker(engine, job, tmp_path):
    _write(job, *WAITS)
    stop = Event()
    with ThreadPoolExecutor() as pool:
        outcome = pool.submit(engine.run, job, "digest", LIMITS, stop)
        (started,) = _wait_for(tmp_path, "started-*")
        stop.set()
        outcome.result()
    assert not _is_running(started.name.split("-")[2])
    assert list((tmp_path / "engine" / "turns").iterdir()) == []


def test_a_job_waits_while_the_cluster_has_no_workers(engine, workers, job):
    for worker in workers:
        cluster.kill(worker)
    stop = Event()
    Timer(0.5, stop.set).start()
    assert engine.run(job, "digest", LIMITS, stop).error_type == "INTERNAL_ERROR"


def test_a_worker_that_cannot_run_functions_is_no_fault_of_theirs(engine, job, tmp_path):
    (tmp_path / "engine" / "broken").touch()
    _write(job, "pass")
    engine._client.run(dask._engine.cache_clear)
    message = r"A worker .* cannot run functions. There is no sandbox"
    with pytest.raises(EngineError, match=message):
        engine.run(job, "digest", LIMITS, Event())
    with pytest.raises(EngineError, match=message):
        dask.create(engine._options).check()


def test_a_job_that_kills_every_worker_fails(engine, job):
    _write(job, "import os, signal", "os.kill(os.getppid(), signal.SIGKILL)")
    outcome = engine.run(job, "digest", LIMITS, Event())
    assert outcome.error_type == "INTERNAL_ERROR"
    assert b"KilledWorker" in outcome.logs


def test_a_scheduler_that_is_lost_is_no_fault_of_the_function(tmp_path, job):
    _write(job, *WAITS)
    with (
        cluster.scheduler(tmp_path) as (address, process),
        cluster.worker(tmp_path, address),
        ThreadPoolExecutor() as pool,
    ):
        engine = dask.create(EngineOptions(tmp_path, cache_size=0, scheduler=address))
        engine.check()
        outcome = pool.submit(engine.run, job, "digest", LIMITS, Event())
        (started,) = _wait_for(tmp_path, "started-*")
        cluster.kill(process)
        with pytest.raises(EngineError, match="The cluster's scheduler at tcp.* was lost."):
            outcome.result()
        engine.close()
        while _is_running(started.name.split("-")[2]):
            time.sleep(0.02)


@pytest.mark.parametrize(
    ("scheduler", "message"),
    [
        ("", r"needs a cluster. Name its scheduler: --dask tcp://HOST:8786."),
        ("tcp://127.0.0.1:1", r"The cluster at tcp://127.0.0.1:1 cannot be used: .* Start its"),
        ("no address", r"The cluster at no address cannot be used: "),
    ],
)
def test_without_a_cluster_the_engine_says_what_to_do(scheduler, message, tmp_path, monkeypatch):
    monkeypatch.setattr(dask, "CONNECT_SECONDS", 0.5)
    with pytest.raises(EngineError, match=message):
        dask.create(EngineOptions(tmp_path, cache_size=0, scheduler=scheduler)).check()
