"""Migrations that an old version goes on serving through: new code migrates, then takes over."""

import pytest
from django.db import connection
from django_migration_linter import MigrationLinter

pytestmark = pytest.mark.postgresql

# What the linter does not see, or what no version was served through.
JUDGED = {
    "0001_initial": "the beginning",
    "0002_uploads_and_preferences": "before the first release",
    "0003_audit": "columns become wider and may be empty: what was written before fits",
    "0022_task_inputs_as_sets": "the version before goes on until its last step (upgrading.md)",
    "0025_once_at_runner": "a unique index of no rows yet",
    "0013_names": "columns may be empty; the tables of users and organisations are small",
}


@pytest.mark.django_db(transaction=True)
def test_the_version_before_can_go_on_serving(capsys):
    """No column that its INSERTs lack, nothing removed or renamed, no index that locks a table."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite serves one version at a time; PostgreSQL runs this")
    linter = MigrationLinter(
        ignore_name=list(JUDGED),
        include_apps=["assets"],
        warnings_as_errors_tests=["CREATE_INDEX", "CREATE_INDEX_EXCLUSIVE", "DROP_INDEX"],
        no_cache=True,
    )
    linter.lint_all_migrations()
    assert not linter.has_errors, capsys.readouterr().out
