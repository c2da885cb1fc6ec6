"""The server's stand-in, and what tests of runners put on it."""

import threading

import pytest

from assets.runner import connection, program

from .server import Server


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(connection, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(connection, "LONGEST_WAIT", 0.1)
    monkeypatch.setattr(program, "PAUSE", 0.05)


@pytest.fixture
def server():
    with Server() as serving:
        thread = threading.Thread(target=serving.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield serving.state
        serving.shutdown()
        thread.join()


@pytest.fixture
def console():
    """What the runner console on its console."""
    return []
