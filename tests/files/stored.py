"""What is in storage and in the database: looked at before and after, and on its way there."""

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.apps import apps
from django.core.files.storage import default_storage
from django.db import connection

from assets.common.files.pending import PendingFiles
from assets.integrity import files_at

# Signing in is no registration.
NOT_REGISTERED = {"ApiToken", "Organization", "User"}


def stored_files() -> dict[str, bytes]:
    """The files in storage, by name."""
    root = Path(default_storage.path(""))
    paths = (path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def row_counts(*, without: Collection[str] = NOT_REGISTERED) -> dict[str, int]:
    """How many rows each model has, those that are no assets left out; one query.

    Of events only what happened to assets counts: that somebody signed in or was refused is shown
    besides. Places without files are announced ahead: they do not count.
    """
    models = apps.get_app_config("assets").get_models()
    tables = {
        model.__name__: connection.ops.quote_name(model._meta.db_table)
        for model in models
        if model.__name__ not in without
    }
    tables["Event"] += " WHERE public"
    counts = ", ".join(f"(SELECT COUNT(*) FROM {table})" for table in tables.values())  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {counts}")
        found = dict(zip(tables, cursor.fetchone(), strict=True))
    if "PendingFiles" in found:
        rows = PendingFiles.objects.all()
        found["PendingFiles"] = sum(any(map(files_at, row.names)) for row in rows)
    return found


@contextmanager
def nothing_left() -> Iterator[None]:
    """Assert that the block leaves no file and no row."""
    before = row_counts(), sorted(stored_files())
    yield
    assert (row_counts(), sorted(stored_files())) == before


@contextmanager
def inserted_payloads() -> Iterator[list[list[dict]]]:
    """Collect the rows of each INSERT, as the database gets them."""
    payloads: list[list[dict]] = []

    def execute(call, sql, params, many, context):
        if sql.startswith("INSERT"):
            payloads.append(json.loads(params[0]))
        return call(sql, params, many, context)

    with connection.execute_wrapper(execute):
        yield payloads
