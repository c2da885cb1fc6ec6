"""Which processor a worker of the server is bound to, if any."""

import os
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

CONFIGURATION = Path(__file__).parents[2] / "project/gunicorn.py"


@pytest.fixture
def configured(monkeypatch):
    """Return what project/gunicorn.py sets on a machine with this number of processors."""

    def configure(processors: int, **environment: str) -> dict:
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(processors)))
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(CONFIGURATION))

    return configure


def _started(hooks: dict, server: SimpleNamespace) -> int | None:
    worker = SimpleNamespace()
    hooks["pre_fork"](server, worker)
    server.WORKERS[id(worker)] = worker
    return worker.processor


@pytest.mark.parametrize(
    ("processors", "environment", "expected"),
    [
        (2, {}, [None, None]),
        (2, {"PIN_WORKERS": "false"}, [None, None]),
        (2, {"PIN_WORKERS": "true"}, [0, 1]),
        (1, {"PIN_WORKERS": "true"}, [0, 0]),
        (8, {"PIN_WORKERS": "true"}, [0, 1]),
    ],
)
def test_workers_are_bound_on_request(processors, environment, expected, configured):
    hooks = configured(processors, WEB_CONCURRENCY="2", **environment)
    server = SimpleNamespace(WORKERS={})
    assert [_started(hooks, server) for _ in range(2)] == expected


def test_a_worker_that_replaces_another_has_that_ones(configured):
    hooks = configured(2, WEB_CONCURRENCY="2", PIN_WORKERS="true")
    server = SimpleNamespace(WORKERS={})
    first, _ = _started(hooks, server), _started(hooks, server)
    del server.WORKERS[next(iter(server.WORKERS))]
    assert _started(hooks, server) == first


def test_a_worker_is_bound(configured, monkeypatch):
    bound = []
    monkeypatch.setattr(os, "sched_setaffinity", lambda pid, processors: bound.append(processors))
    hooks = configured(2, WEB_CONCURRENCY="2", PIN_WORKERS="true")
    hooks["post_fork"](None, SimpleNamespace(processor=1))
    hooks["post_fork"](None, SimpleNamespace(processor=None))
    assert bound == [{1}]
