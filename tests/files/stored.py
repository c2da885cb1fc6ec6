"""What is in storage, and what is in the database: looked at before and after."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.apps import apps
from django.core.files.storage import default_storage
from django.db import connection

# Signing in is no registration.
NOT_REGISTERED = {"ApiToken", "Organization", "User"}


def stored_files() -> dict[str, bytes]:
    """The files in storage, by name."""
    root = Path(default_storage.path(""))
    paths = (path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def row_counts() -> dict[str, int]:
    """How many rows each kind of asset has, events and links included; one query."""
    models = apps.get_app_config("assets").get_models()
    tables = {
        model.__name__: connection.ops.quote_name(model._meta.db_table)
        for model in models
        if model.__name__ not in NOT_REGISTERED
    }
    counts = ", ".join(f"(SELECT COUNT(*) FROM {table})" for table in tables.values())  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {counts}")
        return dict(zip(tables, cursor.fetchone(), strict=True))


@contextmanager
def nothing_left() -> Iterator[None]:
    """Assert that the block leaves no file and no row."""
    before = row_counts(), sorted(stored_files())
    yield
    assert (row_counts(), sorted(stored_files())) == before
