"""A registry of an earlier version migrates: it answers as before, and is as complete as a new one.

Answers are compared as values, since the order of an object's keys is not part of the API. Nothing
has changed in them since 0.1.0.
"""

import io
import re

import pytest
from django.core.management import CommandError, call_command

from assets.immutable import tables_without_triggers

from .registry import schema, values_differ

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


def test_it_answers_as_before(recorded, migrated, stored, curie):
    changed = [
        path for path in recorded.answers if values_differ(curie(path), recorded.answer(path))
    ]
    assert not changed


def test_lists_by_sample_find_something(recorded):
    """Or the test above compares nothing with nothing."""
    lists = {path: body for path, (_, body) in recorded.answers.items() if "_sample_key=" in path}
    assert len(lists) >= 20
    assert all("key" in body for body in lists.values())


def test_its_tables_are_those_of_a_new_database(new_schema, migrated):
    assert schema() == new_schema
    assert not tables_without_triggers()


def test_its_files_agree_with_its_rows(migrated, stored):
    out = io.StringIO()
    with pytest.raises(CommandError, match="2 files are missing"):
        call_command("check_files", stdout=out)
    # What backups, where the files come from, leave out.
    missing = re.findall(r"missing .* (\S+)$", out.getvalue(), flags=re.MULTILINE)
    assert missing == ["/srv/registrar/servermedias/CurieMSP/slides", "uploads/opener.py"]
    assert "orphans: 0 files" in out.getvalue()


def test_migrating_again_changes_nothing(migrated):
    out = io.StringIO()
    call_command("migrate", stdout=out)
    assert "No migrations to apply" in out.getvalue()
