"""The database itself refuses to change what is registered.

Triggers are made after every migration rather than in one: SQLite drops a table's triggers
whenever a later migration has to rebuild the table, and PostgreSQL alters no column that a trigger
reads.
"""

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.db import connections

# What of each registered row may change; every other column is fixed.
CHANGEABLE = {
    "Dataset": {"name"},
    "DataSample": set(),
    "DataSampleLink": set(),
    "Function": {"name", "status"},
    "FunctionInput": set(),
    "FunctionOutput": set(),
    "TaskInput": set(),
    "TaskOutput": set(),
    "Permissions": set(),
    "Event": {"actor"},
    "Performance": set(),
    "FailureReport": set(),
    "Model": {"file", "file_checksum", "file_size"},
    "Task": {"status", "start_date", "end_date", "error_type"},
    "ComputePlan": {
        "name",
        "creator",
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

# What is never deleted. PostgreSQL only: an SQLite file is at the mercy of whoever may open it.
KEPT = {"Event"}

_SQLITE = """
    CREATE TRIGGER {trigger} BEFORE UPDATE ON {table} WHEN {changed}
    BEGIN SELECT RAISE(ABORT, '{message}'); END
"""
_POSTGRESQL = """
    CREATE OR REPLACE FUNCTION registrar_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation';
    END $$;
    CREATE TRIGGER {trigger} BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({changed})
    EXECUTE FUNCTION registrar_refuse('{message}')
"""
_POSTGRESQL_KEPT = """
    DROP TRIGGER IF EXISTS {trigger} ON {table};
    CREATE TRIGGER {trigger} BEFORE DELETE ON {table} FOR EACH ROW
    EXECUTE FUNCTION registrar_refuse('{message}')
"""


def remove_triggers(using: str = "default", plan: Sequence[Any] = (), **_) -> None:
    """Make way for migrations, if there are any: PostgreSQL alters no column that a trigger reads.

    The last of them is followed by `install_triggers`.
    """
    connection = connections[using]
    if not plan:
        return
    existing = set(connection.introspection.table_names())
    tables = [apps.get_model("assets", name)._meta.db_table for name in CHANGEABLE]
    with connection.cursor() as cursor:
        for table in existing.intersection(tables):
            _drop(cursor, connection, table, "immutable")


def _drop(cursor: Any, connection: Any, table: str, what: str) -> None:
    trigger = connection.ops.quote_name(f"{table}_{what}")
    on = "" if connection.vendor == "sqlite" else f" ON {connection.ops.quote_name(table)}"
    cursor.execute(f"DROP TRIGGER IF EXISTS {trigger}{on}")


def install_triggers(using: str = "default", **_) -> None:
    """Make, or make again, the trigger of every table in `CHANGEABLE`."""
    connection = connections[using]
    sqlite = connection.vendor == "sqlite"
    different = "IS NOT" if sqlite else "IS DISTINCT FROM"
    existing = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for name, changeable in CHANGEABLE.items():
            meta = apps.get_model("assets", name)._meta
            if meta.db_table not in existing:
                continue
            fixed = [
                connection.ops.quote_name(field.column)
                for field in meta.concrete_fields
                if field.name not in changeable
            ]
            table = connection.ops.quote_name(meta.db_table)
            trigger = connection.ops.quote_name(f"{meta.db_table}_immutable")
            _drop(cursor, connection, meta.db_table, "immutable")
            cursor.execute(
                (_SQLITE if sqlite else _POSTGRESQL).format(
                    trigger=trigger,
                    table=table,
                    changed=" OR ".join(f"OLD.{c} {different} NEW.{c}" for c in fixed),
                    message=f"a registered {meta.verbose_name} cannot be changed",
                )
            )
            if name in KEPT and not sqlite:
                cursor.execute(
                    _POSTGRESQL_KEPT.format(
                        trigger=connection.ops.quote_name(f"{meta.db_table}_kept"),
                        table=table,
                        message=f"a registered {meta.verbose_name} cannot be deleted",
                    )
                )
