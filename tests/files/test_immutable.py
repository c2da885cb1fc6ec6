"""The database refuses to change what is registered, whoever asks."""

import io
import os
import subprocess
import sys

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from assets.common.ops.health import database_checks
from assets.datasets.models import Dataset
from assets.immutable import (
    CHANGEABLE,
    ERASABLE,
    install_triggers,
    is_guarded,
    remove_triggers,
    tables_without_triggers,
)
from tests import builders

from .everything import another_value, make_everything, registered_models

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

# Accounts, how they sign in and who belongs to what: they change, and their own rules say how.
NOT_REGISTERED = {
    "ApiToken",
    # The audit trail has the decisions before, and all that runners did.
    *("Approval", "DataSampleCheck", "Job", "RunPolicy", "Runner", "Trial"),
    "ExternalIdentity",
    "FailedSignIn",
    "IdempotencyKey",
    "Organization",
    "RecoveryCode",
    "Upload",
    "PendingFiles",
    "User",
    # Runners, what they may run and do, and what they find out.
    "Runner",
    "RunPolicy",
    "Approval",
    "Job",
    "Trial",
    "ProfilingStep",
    "DataSampleCheck",
}

FIXED = [
    (model.__name__, field.name)
    for model in registered_models()
    for field in model._meta.concrete_fields
    if field.name not in CHANGEABLE[model.__name__]
]
FREE = [(name, field) for name, fields in CHANGEABLE.items() for field in sorted(fields)]


@pytest.fixture
def rows(alice):
    return make_everything(alice)


def update(row, **values) -> None:
    """As no one should, past every rule."""
    assert type(row)._default_manager.filter(pk=row.pk).update(**values) == 1


def column_update(row, field_name):
    field = row._meta.get_field(field_name)
    return {field_name: another_value(field, getattr(row, field.attname))}


def test_every_registered_model_is_listed():
    models = apps.get_app_config("assets").get_models()
    assert {model.__name__ for model in models} == set(CHANGEABLE) | NOT_REGISTERED


def test_every_field_that_may_change_exists():
    for model in registered_models():
        names = {field.name for field in model._meta.concrete_fields}
        assert CHANGEABLE[model.__name__] <= names, model


@pytest.mark.parametrize("model", [model.__name__ for model in registered_models()])
def test_fixed_columns_cannot_be_changed(rows, model):
    """Neither one by one nor hidden behind a change that is allowed."""
    row = rows[model]
    allowed = {name: getattr(row, name) for name in CHANGEABLE[model]}
    allowed |= dict.fromkeys(ERASABLE.get(model, ()))
    for field_name in [field for name, field in FIXED if name == model]:
        changed = column_update(row, field_name)
        for values in (changed, {**allowed, **changed}):
            with pytest.raises(DatabaseError, match="cannot be changed"), transaction.atomic():
                update(row, **values)
    assert type(row)._default_manager.filter(pk=row.pk).exists()


@pytest.mark.parametrize(("model", "field"), FREE)
def test_what_may_change_can_be_changed(rows, model, field):
    row = rows[model]
    values = column_update(row, field)
    if row._meta.get_field(field).is_relation:
        pytest.skip("see test_users_are_erased_and_never_exchanged")
    if field == "status" and model == "Task":
        values = {"status": "STATUS_FAILED", "error_type": "BUILD_ERROR"}
    update(row, **values)
    row.refresh_from_db()
    assert getattr(row, field) == values[field]


def test_an_update_that_changes_nothing_is_none(rows):
    for row in rows.values():
        values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
        update(
            row, **{name: value for name, value in values.items() if name != row._meta.pk.attname}
        )


def test_of_many_rows_none_is_changed(alice):
    """One statement over many rows is refused as a whole."""
    datasets = [builders.make_dataset(alice) for _ in range(3)]
    with pytest.raises(DatabaseError), transaction.atomic():
        Dataset.objects.update(name="another", opener_checksum="0" * 64)
    assert set(Dataset.objects.values_list("name", flat=True)) == {datasets[0].name}


def test_raw_sql_is_refused_like_the_rest(rows):
    table = connection.ops.quote_name(Dataset._meta.db_table)
    with (
        pytest.raises(DatabaseError, match="a registered dataset cannot be changed"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"UPDATE {table} SET owner_id = 'MyOrg9MSP'")  # noqa: S608


def test_triggers_may_be_made_again(rows):
    """As after every migration."""
    install_triggers()
    install_triggers()
    with pytest.raises(DatabaseError), transaction.atomic():
        update(rows["Dataset"], opener_size=0)
    update(rows["Dataset"], name="another")


def test_migrations_may_alter_what_triggers_read(rows):
    """A later version's migrations meet the triggers of the version before."""
    table = connection.ops.quote_name(Dataset._meta.db_table)
    remove_triggers(plan=["a migration"])
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(f"ALTER TABLE {table} ALTER COLUMN type TYPE varchar(120)")
    update(rows["Dataset"], opener_size=0)
    install_triggers()
    with pytest.raises(DatabaseError, match="cannot be changed"), transaction.atomic():
        update(rows["Dataset"], opener_size=1)


def test_without_migrations_triggers_stay(rows):
    remove_triggers(plan=[])
    with pytest.raises(DatabaseError, match="cannot be changed"), transaction.atomic():
        update(rows["Dataset"], opener_size=0)


# Each kind of statement that changes or removes a row that is there. {t}: the table, {k}: its key,
# {f}: a column that is fixed, {all}: every column.
STATEMENTS = {
    "update": "UPDATE {t} SET {f} = NULL",
    "upsert": "INSERT INTO {t} ({all}) SELECT {all} FROM {t} WHERE true"
    " ON CONFLICT ({k}) DO UPDATE SET {f} = NULL",
    "delete": "DELETE FROM {t}",
    "sqlite: replace": "REPLACE INTO {t} ({all}) SELECT {all} FROM {t}",
    "sqlite: update or replace": "UPDATE OR REPLACE {t} SET {f} = NULL",
    "postgresql: merge": "MERGE INTO {t} USING {t} AS s ON {t}.{k} = s.{k}"
    " WHEN MATCHED THEN UPDATE SET {f} = NULL",
    "postgresql: merge away": "MERGE INTO {t} USING {t} AS s ON {t}.{k} = s.{k}"
    " WHEN MATCHED THEN DELETE",
    "postgresql: truncate": "TRUNCATE {t} CASCADE",
    "postgresql: truncate more": "TRUNCATE assets_organization CASCADE",
}


def test_every_kind_of_statement_is_refused(rows):
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for model in registered_models():
        meta, count = model._meta, model._default_manager.count()
        open_to_change = {meta.pk.name} | CHANGEABLE[model.__name__]
        open_to_change |= ERASABLE.get(model.__name__, set())
        fixed = [field for field in meta.concrete_fields if field.name not in open_to_change]
        names = {
            "t": meta.db_table,
            "k": meta.pk.column,
            "f": fixed[0].column,
            "all": ", ".join(f'"{field.column}"' for field in meta.concrete_fields),
        }
        for kind, sql in STATEMENTS.items():
            if ":" in kind and connection.vendor not in kind:
                continue
            with (
                pytest.raises(DatabaseError, match=r"a registered [\w ]+ cannot be"),
                transaction.atomic(),
                connection.cursor() as cursor,
            ):
                cursor.execute(sql.format(**names))
        assert model._default_manager.count() == count


@pytest.mark.parametrize(("model", "field"), [(m, f) for m, fs in ERASABLE.items() for f in fs])
def test_users_are_erased_and_never_exchanged(rows, model, field, bob):
    row = rows[model]
    assert getattr(row, field) is not None
    with pytest.raises(DatabaseError, match="cannot be changed"), transaction.atomic():
        update(row, **{field: bob})
    update(row, **{field: None})
    with pytest.raises(DatabaseError, match="cannot be changed"), transaction.atomic():
        update(row, **{field: bob})


def test_a_migration_that_fails_leaves_the_triggers(rows, monkeypatch):
    def fail(*args, **options):
        remove_triggers(plan=["a migration"])
        assert tables_without_triggers()
        raise DatabaseError("half-way")

    monkeypatch.setattr(MigrationExecutor, "migrate", fail)
    with pytest.raises(DatabaseError, match="half-way"):
        call_command("migrate", verbosity=0, stdout=io.StringIO())
    assert not tables_without_triggers()
    with pytest.raises(DatabaseError, match="cannot be changed"), transaction.atomic():
        update(rows["Dataset"], opener_size=0)


def test_tables_without_a_column_of_the_models_are_guarded(rows):
    """As a migration leaves them that failed before it added the column."""
    remove_triggers(plan=["a migration"])
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE assets_performance RENAME COLUMN value TO worth")
    install_triggers()
    assert not tables_without_triggers()


@pytest.mark.parametrize("how", ["dropped", "disabled"])
def test_what_lacks_a_trigger_is_not_ready(db, how):
    assert is_guarded()
    assert database_checks["triggers"]()
    on = "" if connection.vendor == "sqlite" else " ON assets_event"
    with connection.cursor() as cursor:
        if how == "dropped":
            cursor.execute(f"DROP TRIGGER assets_event_kept{on}")
        elif connection.vendor == "sqlite":
            pytest.skip("SQLite disables no trigger")
        else:
            cursor.execute("ALTER TABLE assets_event DISABLE TRIGGER assets_event_kept")
    assert tables_without_triggers() == ["assets_event"]
    assert not database_checks["triggers"]()


def test_the_server_starts_on_guarded_databases_only(settings, tmp_path):
    """And says which command makes the triggers again, which it does."""
    environment = {**os.environ, "VAR_DIR": str(tmp_path), "DATABASE_URL": ""}
    drop = "c.execute('DROP TRIGGER assets_task_immutable')"
    steps = {
        "not migrated yet": ["-c", "import project.wsgi"],
        "migrate": ["manage.py", "migrate", "--verbosity=0"],
        "start": ["-c", "import project.wsgi"],
        "lose a trigger": [
            "-c",
            f"import sqlite3; c = sqlite3.connect(r'{tmp_path}/registrar.sqlite3'); {drop}",
        ],
        "refuse": ["-c", "import project.wsgi"],
        "migrate again": ["manage.py", "migrate", "--verbosity=0"],
        "start again": ["-c", "import project.wsgi"],
    }
    for name, step in steps.items():
        done = subprocess.run(
            [sys.executable, *step],
            cwd=settings.BASE_DIR,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode != 0) == (name == "refuse"), (name, done.stderr)
        if name == "refuse":
            assert "missing or disabled on assets_task." in done.stderr
            assert "Run `python manage.py migrate`" in done.stderr
