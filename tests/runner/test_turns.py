"""Turns: of several tries of a job, one goes on, while its runner is there."""

import os
import time
from contextlib import ExitStack
from threading import Thread

import pytest

from assets.runner.dockerfile import Entry
from assets.runner.engines import JobFolder, turns
from assets.runner.engines.turns import Turn, remove_left, taken


@pytest.fixture(autouse=True)
def look_often(monkeypatch):
    monkeypatch.setattr(turns, "PAUSE", 0.01)


@pytest.fixture
def job(tmp_path):
    folder = JobFolder(tmp_path / "job", (), Entry("python3", "function.py", "train"))
    for path in (folder.work, folder.outputs):
        path.mkdir(parents=True)
    return folder


@pytest.fixture
def turn(tmp_path):
    return Turn(tmp_path / "turns")


def test_a_try_goes_on_while_its_runner_is_there(turn, job):
    def touch():
        for _ in range(30):
            time.sleep(0.02)
            turn.touch()

    runner = Thread(target=touch)
    with taken(turn.path, job, silence=0.3) as stop:
        runner.start()
        runner.join()
        assert not stop.is_set()


def test_a_try_ends_when_its_runner_is_gone(turn, job):
    with taken(turn.path, job, silence=0.05) as stop:
        assert stop.wait(60)


def test_a_try_ends_when_the_job_is_no_longer_wanted(turn, job):
    with taken(turn.path, job) as stop:
        assert turn.end()
        assert stop.wait(60)


def test_a_job_that_is_no_longer_wanted_does_not_start(turn, job):
    assert not turn.end()
    with taken(turn.path, job) as stop:
        assert stop.is_set()


def test_a_later_try_ends_the_earlier_one_and_finds_empty_folders(turn, job):
    with ExitStack() as stack:
        earlier = stack.enter_context(taken(turn.path, job))
        file = stack.enter_context((job.outputs / "model").open("w"))
        later = stack.enter_context(taken(turn.path, job))
        assert earlier.wait(60)
        print("what the earlier one still writes", file=file, flush=True)
        assert list(job.outputs.iterdir()) == []
        assert list(job.work.iterdir()) == []
        assert not later.is_set()


def test_turns_of_killed_runners_are_removed_after_a_day(turn, tmp_path):
    old = Turn(tmp_path / "turns")
    os.utime(old.path, (time.time() - 90_000,) * 2)
    remove_left(tmp_path / "turns")
    assert list((tmp_path / "turns").iterdir()) == [turn.path]
