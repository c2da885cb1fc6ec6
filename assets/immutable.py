"""Database triggers that refuse to change or delete registered rows.

They are created after every migration rather than by one: SQLite drops the triggers of a table that
a migration rebuilds, and PostgreSQL cannot alter a column that a trigger reads. The `migrate`
command also creates them after a migration that fails, and the server does not start without them.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, OperationalError, connections, transaction

# A name, and the columns that are derived from it.
NAME = {"name", "name_folded", "name_order"}
# The columns that may change, by model.
CHANGEABLE = {
    "Dataset": NAME,
    "DataSample": set(),
    "DataSampleLink": set(),
    "SampleSet": set(),
    "SampleSetMember": set(),
    "Function": {*NAME, "status"},
    "FunctionInput": set(),
    "FunctionOutput": set(),
    "TaskInput": set(),
    "TaskOutput": set(),
    "Permissions": set(),
    "Event": set(),
    "Performance": set(),
    "FailureReport": set(),
    "ProfilingStep": {"duration"},
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
# Foreign keys that may become null: to users whose accounts are deleted.
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
# The suffixes of each table's triggers, by database: against UPDATE, DELETE and TRUNCATE. Databases
# that exist have them, so they stay.
_KINDS = {"sqlite": ("immutable", "kept"), "postgresql": ("immutable", "kept", "whole")}
# Selects the names of triggers that are not disabled.
_EXISTING = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid"
    " WHERE NOT tgisinternal AND tgenabled IN ('O', 'A') AND pg_table_is_visible(c.oid)",
}
# The advisory lock that `migrate` holds on PostgreSQL; an arbitrary number.
_MIGRATING = 737_346_274
# Seconds for which a starting server waits for the database.
PATIENCE = 10


def _names(table: str, vendor: str) -> dict[str, str]:
    """Return the names of a table's triggers by their suffixes."""
    return {kind: f"{table}_{kind}" for kind in _KINDS[vendor]}


def _guarded(connection: Any) -> Iterator[tuple[str, Any]]:
    """Yield the name and `_meta` of each model with triggers whose table exists."""
    existing = set(connection.introspection.table_names())
    for name in CHANGEABLE:
        meta = apps.get_model("assets", name)._meta
        if meta.db_table in existing:
            yield name, meta


def remove_triggers(using: str = "default", plan: Sequence[Any] = (), **_) -> None:
    """Drop the triggers before migrations, if there are any to apply.

    `install_triggers` follows the last migration.
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
    """Create or replace the triggers of every table in `CHANGEABLE`."""
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
    """Return the SQL condition for an UPDATE that changes a fixed column."""
    quote = connection.ops.quote_name
    different = "IS NOT" if connection.vendor == "sqlite" else "IS DISTINCT FROM"
    # After a failed or unapplied migration, tables lack columns of the models.
    cursor.execute(f"SELECT * FROM {quote(meta.db_table)} LIMIT 0")  # noqa: S608
    existing = {column[0] for column in cursor.description}
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


def tables_without_triggers(using: str = "default") -> list[str]:
    """Return the tables on which a trigger is missing or disabled."""
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
    """Return whether all triggers exist, or a running migration will create them."""
    return not tables_without_triggers(using) or _is_migrating(using)


def check_triggers() -> None:
    """Check the triggers when the server starts.

    If the database does not respond yet, `/readyz` checks it later.

    Raises:
        ImproperlyConfigured: triggers are missing.
    """
    # In a thread, which has its own connection: to connect can take minutes.
    checker = ThreadPoolExecutor(1, thread_name_prefix="triggers")
    checking = checker.submit(_unguarded_tables)
    checker.shutdown(wait=False)
    try:
        tables = checking.result(PATIENCE)
    except (OperationalError, TimeoutError):
        return
    if tables:
        raise ImproperlyConfigured(
            "Registered rows could be changed or deleted: triggers are missing or disabled on "
            f"{', '.join(tables)}. A migration was interrupted, or someone removed them. Run "
            "`python manage.py migrate` to create them, then start the server."
        )


def _unguarded_tables() -> list[str]:
    connection: Any = connections["default"]
    try:
        return [] if is_guarded() else tables_without_triggers()
    finally:
        connection.close()
        if connection.vendor == "postgresql":
            # The processes that are forked next cannot share a pool.
            connection.close_pool()


@contextmanager
def migrating(using: str = "default") -> Iterator[None]:
    """Run migrations in the block, and create the triggers if they fail.

    On PostgreSQL it holds an advisory lock, by which workers that serve meanwhile see that the
    triggers are missing only for now.
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
            error.add_note(f"The triggers that protect registered rows are missing: {another}")
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
