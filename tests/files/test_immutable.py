"""The database refuses to change what is registered, whoever asks."""

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction

from assets.datasets.models import Dataset
from assets.immutable import CHANGEABLE, install_triggers, remove_triggers
from tests import builders

from .everything import another_value, make_everything, registered_models

pytestmark = pytest.mark.django_db

# Accounts, how they sign in and who belongs to what: they change, and their own rules say how.
NOT_REGISTERED = {
    "ApiToken",
    "ExternalIdentity",
    "FailedSignIn",
    "Organization",
    "RecoveryCode",
    "Upload",
    "LooseFiles",
    "User",
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
    """As nobody should, past every rule."""
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
        values = {field: None}
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


def test_events_are_not_deleted(rows):
    """On PostgreSQL, not even by hand: what is on record stays there."""
    if connection.vendor == "sqlite":
        pytest.skip("an SQLite file is at the mercy of whoever may open it")
    with pytest.raises(DatabaseError, match="cannot be deleted"), transaction.atomic():
        type(rows["Event"]).objects.all().delete()
