"""A migration that is interrupted goes on when `migrate` is run again."""

from itertools import count

import pytest
from django.core.management import call_command
from django.db import connection

from assets.common.db.another import another_database
from assets.immutable import tables_without_triggers

from .registry import Reader, schema, values_differ

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


class Killed(BaseException):
    """Nothing catches it, and nothing is tidied up: as after `kill -9`."""


def migrate_until(statements: int, settings: dict) -> bool:
    """Migrate, and be killed before a statement; return whether it ended before."""
    executed = count(1)

    def execute(execute, *arguments):
        if next(executed) > statements:
            raise Killed
        return execute(*arguments)

    try:
        with another_database(settings), connection.execute_wrapper(execute):
            call_command("migrate", verbosity=0)
    except Killed:
        return False
    return True


def test_it_can_be_interrupted_at_any_statement(recorded, new_schema, old_database):
    # Each time a little further than the last time.
    attempts = next(
        attempt for attempt in count(1) if migrate_until(37 * attempt, settings=old_database)
    )
    assert attempts > 3
    with another_database(old_database):
        assert schema() == new_schema
        assert not tables_without_triggers()
        reader = Reader()
        lists = [path for path in recorded.answers if "_sample_key=" in path or "/task/?" in path]
        assert len(lists) > 30
        assert [path for path in lists if values_differ(reader(path), recorded.answer(path))] == []
