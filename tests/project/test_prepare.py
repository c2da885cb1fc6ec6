"""`manage.py prepare`: what `make serve` does before it serves."""

import io

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from assets.accounts.models import Organization
from assets.immutable import is_guarded, remove_triggers

pytestmark = pytest.mark.postgresql


def prepare() -> str:
    out = io.StringIO()
    call_command("prepare", stdout=out)
    return out.getvalue()


def test_a_first_start_loads_the_demo_of_an_embedded_registry(no_cast, settings):
    settings.EMBEDDED = True
    printed = prepare()
    assert Organization.objects.count() == 3
    assert "Registering the demo" in printed
    # The next start has nothing to do, and says nothing of it.
    assert "Registering the demo" not in prepare()
    assert prepare().startswith("The demo consortium is loaded")


def test_a_registry_on_a_server_gets_no_demo(no_cast, settings):
    settings.EMBEDDED = False
    assert prepare() == ""
    assert not Organization.objects.exists()


def test_missing_triggers_are_created(no_cast, settings):
    settings.EMBEDDED = False
    remove_triggers(plan=["by hand"])
    assert not is_guarded()
    assert "No migrations to apply" in prepare()
    assert is_guarded()


def test_missing_migrations_are_applied(transactional_db, settings):
    settings.EMBEDDED = False
    applied = MigrationRecorder(connection).migration_qs
    applied.filter(app="sessions").delete()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE django_session")
    assert "Applying sessions.0001_initial" in prepare()
    assert "Applying" not in prepare()
    assert applied.filter(app="sessions").exists()
