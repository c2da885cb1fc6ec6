"""Servers and runners are killed: short runs of `tests.kill` and `tests.kill.working`."""

import pytest

from tests.processes import found_by

pytestmark = pytest.mark.postgresql


def test_nothing_is_lost_and_nothing_is_left():
    figures = found_by("tests.kill", "--registrations", "30", "--kills", "3")
    assert figures["registrations"] >= 30
    assert figures["kills"] >= 2
    assert figures["answered, whole"]


def test_every_task_ends_once():
    figures = found_by("tests.kill.working", "--plans", "4", "--kills", "7", "--runners", "3")
    assert figures["deaths of runners"]
    assert figures["kills"]["server"] == 1
    assert figures["tasks"]["DONE"]
