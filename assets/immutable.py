"""The database itself refuses to change or to remove what is registered.

Triggers are made after every migration rather than in one: SQLite drops a table's triggers
whenever a later migration has to rebuild the table, and PostgreSQL alters no column that a trigger
reads. The command `migrate` makes them also where a migration fails, and the server does not start
on a database that lacks one.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, OperationalError, connections, transaction

# A name, and what is worked out of it.
NAME = {"name", "name_folded", "name_order"}
# What of each registered row may change; every other column is fixed.
CHANGEABLE = {
    "Dataset": NAME,
    "DataSample": set(),
    "DataSampleLink": set(),
    "Function": {*NAME, "status"},
    "FunctionInput": set(),
    "FunctionOutput": set(),
    "TaskInput": set(),
    "TaskOutput": set(),
    "Permissions": set(),
    "Event": set(),
    "Performance": set(),
    "FailureReport": set(),
    "Model": {"file", "file_checksum", "file_size"},
    "Task": {"status", "start_date", "end_date", "error_type"},
    "ComputePlan": {
        *NAME,
        "status",
        "start_date",
        "end_date",
        "cancelation_date",
        "failed_task_key",
        "task_count",
        "waiting_builder_slot_count",
        "building_count",
        "waiting_parent_tasks_count",
        "waiting_executor_slot_count",
        "executing_count",
        "done_count",
        "failed_count",
        "canceled_count",
    },
}
# What may become empty, and nothing else: users whose accounts are removed.
ERASABLE = {"Event": {"actor"}, "ComputePlan": {"creator"}}

_SQLITE = (
    """CREATE TRIGGER {immutable} BEFORE UPDATE ON {table} WHEN {changed}
    BEGIN SELECT RAISE(ABORT, '{message} cannot be changed'); END""",
    """CREATE TRIGGER {kept} BEFORE DELETE ON {table}
    BEGIN SELECT RAISE(ABORT, '{message} cannot be deleted'); END""",
)
_POSTGRESQL = (
    """CREATE OR REPLACE FUNCTION registrar_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation';
    END $$""",
    """CREATE OR REPLACE TRIGGER {immutable} BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({changed})
    EXECUTE FUNCTION registrar_refuse('{message} cannot be changed')""",
    """CREATE OR REPLACE TRIGGER {kept} BEFORE DELETE ON {table} FOR EACH ROW
    EXECUTE FUNCTION registrar_refuse('{message} cannot be deleted')""",
    """CREATE OR REPLACE TRIGGER {whole} BEFORE TRUNCATE ON {table} FOR EACH STATEMENT
    EXECUTE FUNCTION registrar_refuse('{message} cannot be deleted')""",
)
# The kinds of triggers that each table has, by the database.
_KINDS = {
    "sqlite": ("immutable", "kept"),
    "postgresql": ("immutable", "kept", "whole"),
}
# Those that are there and not disabled.
_EXISTING = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid"
    " WHERE NOT tgisinternal AND tgenabled IN ('O', 'A') AND pg_table_is_visible(c.oid)",
}
# A number of ours for PostgreSQL's advisory lock that `migrate` holds.
_MIGRATING = 737_346_274
# Seconds that a server which starts waits for the database.
PATIENCE = 10


def _names(table: str, vendor: str) -> dict[str, str]:
    """Return the name of each trigger of a table, by its kind."""
    return {kind: f"{table}_{kind}" for kind in _KINDS[vendor]}


def _guarded(connection: Any) -> Iterator[tuple[str, Any]]:
    """Yield what is guarded and has a table: the model's name and its `_meta`."""
    existing = set(connection.introspection.table_names())
    for name in CHANGEABLE:
        meta = apps.get_model("assets", name)._meta
        if meta.db_table in existing:
            yield name, meta


def remove_triggers(using: str = "default", plan: Sequence[Any] = (), **_) -> None:
    """Make way for migrations, if there are any: PostgreSQL alters no column that a trigger reads.

    The last of them is followed by `install_triggers`.
    """
    connection = connections[using]
    if not plan:
        return
    quote, sqlite = connection.ops.quote_name, connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        for _name, meta in _guarded(connection):
            for trigger in _names(meta.db_table, connection.vendor).values():
                on = "" if sqlite else f" ON {quote(meta.db_table)}"
                cursor.execute(f"DROP TRIGGER IF EXISTS {quote(trigger)}{on}")


def install_triggers(using: str = "default", **_) -> None:
    """Make, or make again, the triggers of every table in `CHANGEABLE`."""
    connection = connections[using]
    quote, sqlite = connection.ops.quote_name, connection.vendor == "sqlite"
    with transaction.atomic(using), connection.cursor() as cursor:
        for name, meta in _guarded(connection):
            triggers = _names(meta.db_table, connection.vendor)
            values = {
                **{kind: quote(trigger) for kind, trigger in triggers.items()},
                "table": quote(meta.db_table),
                "changed": _changed(name, meta, connection, cursor),
                "message": f"a registered {meta.verbose_name}",
            }
            for trigger in triggers.values() if sqlite else ():
                cursor.execute(f"DROP TRIGGER IF EXISTS {quote(trigger)}")
            for sql in _SQLITE if sqlite else _POSTGRESQL:
                cursor.execute(sql.format(**values))


def _changed(name: str, meta: Any, connection: Any, cursor: Any) -> str:
    """Return the condition under which an UPDATE changes what is fixed."""
    quote = connection.ops.quote_name
    different = "IS NOT" if connection.vendor == "sqlite" else "IS DISTINCT FROM"
    # Migrations that failed, or were unapplied, leave tables without columns of the models.
    description = connection.introspection.get_table_description(cursor, meta.db_table)
    existing = {column.name for column in description}
    conditions = []
    for field in meta.concrete_fields:
        if field.name in CHANGEABLE[name] or field.column not in existing:
            continue
        column = quote(field.column)
        condition = f"OLD.{column} {different} NEW.{column}"
        if field.name in ERASABLE.get(name, ()):
            condition = f"({condition} AND NEW.{column} IS NOT NULL)"
        conditions.append(condition)
    return " OR ".join(conditions)


def lacking_triggers(using: str = "default") -> list[str]:
    """Return the tables that lack a trigger, or have one that is disabled."""
    connection = connections[using]
    with connection.cursor() as cursor:
        cursor.execute(_EXISTING[connection.vendor])
        existing = {row[0] for row in cursor.fetchall()}
    return [
        meta.db_table
        for _name, meta in _guarded(connection)
        if not existing.issuperset(_names(meta.db_table, connection.vendor).values())
    ]


def is_guarded(using: str = "default") -> bool:
    """Return whether no trigger is missing, or a migration that is under way puts them back."""
    return not lacking_triggers(using) or _is_migrating(using)


def refuse_unguarded() -> None:
    """Let no server start on a database that would let registered rows be changed.

    A database that does not answer yet is looked at again by `/readyz`.

    Raises:
        ImproperlyConfigured: triggers are missing.
    """
    # In a thread: its connection is its own, and to connect may take minutes.
    checker = ThreadPoolExecutor(1, thread_name_prefix="triggers")
    checking = checker.submit(_unguarded_tables)
    checker.shutdown(wait=False)
    try:
        tables = checking.result(PATIENCE)
    except (OperationalError, TimeoutError):
        return
    if tables:
        raise ImproperlyConfigured(
            "The database would let registered rows be changed or deleted: triggers are missing "
            f"or disabled on {', '.join(tables)}. A migration was interrupted, or somebody removed "
            "them. Run `python manage.py migrate`, which makes them again, then start the server."
        )


def _unguarded_tables() -> list[str]:
    try:
        return [] if is_guarded() else lacking_triggers()
    finally:
        connections["default"].close()


@contextmanager
def migrating(using: str = "default") -> Iterator[None]:
    """Run migrations inside, and make the triggers again if they fail.

    On PostgreSQL an old version goes on serving meanwhile, and its workers can see that triggers
    are missing for a while only.
    """
    connection = connections[using]
    lock = connection.vendor == "postgresql"
    if lock:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [_MIGRATING])
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:
        try:
            install_triggers(using)
        except DatabaseError as another:
            error.add_note(f"The triggers that guard registered rows are missing: {another}")
        raise
    finally:
        if lock and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_MIGRATING])


def _is_migrating(using: str) -> bool:
    connection = connections[using]
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND classid = 0 AND objid = %s AND objsubid = 1 AND database ="
            " (SELECT oid FROM pg_database WHERE datname = current_database()))",
            [_MIGRATING],
        )
        return bool(cursor.fetchone()[0])
