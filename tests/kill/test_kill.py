"""The server is killed while clients register: a short run of `python -m tests.kill`."""

import pytest

from tests.processes import found_by

pytestmark = pytest.mark.postgresql


def test_nothing_is_lost_and_nothing_is_left():
    figures = found_by("tests.kill", "--registrations", "30", "--kills", "3")
    assert figures["registrations"] >= 30
    assert figures["kills"] >= 2
    assert figures["answered, whole"]
