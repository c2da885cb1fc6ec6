"""Data samples of a task that follow each other become one input: the list of them.

It copies the inputs into another table, in batches, and can be run again after an interruption. The
version before goes on with the old table until the last step. On PostgreSQL, where it may still
serve afterwards, a view then has the old table's name and rows. It reads them, and registers no
task until it is restarted.
"""

import logging
import time
from itertools import groupby

from django.db import DatabaseError, connections, migrations, models, transaction
from django.db.models import Exists, OuterRef

from assets.common.asset_keys import AssetKeys
from assets.common.db import bulk

logger = logging.getLogger(__name__)

# Tasks whose inputs are copied in one transaction.
BATCH = 1_000
# Seconds between two lines of progress.
EVERY = 10
# For how long the last step waits for other transactions before it lets them pass and tries again.
PATIENCE = "150ms"

SOURCES = ("dataset_id", "data_sample_id", "model_id", "parent_task_id")
COLUMNS = ("task_id", "position", "identifier", *SOURCES, "parent_output_identifier")


# Each input has a row of its own again, and an id. Members are joined so that their index serves
# lists by data sample.
VIEW = """CREATE VIEW {old} AS
    SELECT i.id * 1048576 + coalesce(k.n, 0) AS id, i.task_id,
        (i.position + coalesce(k.n - 1, 0))::integer AS position, i.identifier, i.dataset_id,
        m.data_sample_id, i.model_id, i.parent_task_id, i.parent_output_identifier
    FROM assets_taskinputgroup i LEFT JOIN (
        assets_samplesetmember m JOIN assets_sampleset s ON s.id = m.sample_set_id
        JOIN LATERAL jsonb_array_elements_text(s.keys) WITH ORDINALITY AS k(key, n)
        ON k.key::uuid = m.data_sample_id
    ) ON m.sample_set_id = i.sample_set_id"""


class Copy:
    """Copies inputs of tasks from the old table into the new one."""

    def __init__(self, apps, connection) -> None:
        self.connection, self.using = connection, connection.alias
        self.old, self.new, self.task, self.sets, self.members = (
            apps.get_model("assets", name)
            for name in ("TaskInput", "TaskInputGroup", "Task", "SampleSet", "SampleSetMember")
        )

    def in_batches(self) -> None:
        """Copy the inputs of all tasks in the order of their keys, from where it was interrupted."""
        total, done, shown = self.rows(self.task).count(), 0, time.monotonic()
        latest = self.rows(self.new).order_by("-task_id").values_list("task_id", flat=True).first()
        while keys := self.next_keys(latest):
            with transaction.atomic(self.using):
                self.copy(self.rows(self.old).filter(task_id__gte=keys[0], task_id__lte=keys[-1]))
            latest, done = keys[-1], done + len(keys)
            if time.monotonic() - shown > EVERY:
                shown = time.monotonic()
                logger.warning("Inputs of %s of %s tasks are copied.", f"{done:,}", f"{total:,}")

    def rows(self, model):
        return model._base_manager.using(self.using)

    def next_keys(self, latest):
        tasks = self.rows(self.task).order_by("pk").values_list("pk", flat=True)
        return list((tasks.filter(pk__gt=latest) if latest else tasks)[:BATCH])

    def the_rest(self) -> None:
        """Copy the inputs of tasks that were registered meanwhile."""
        copied = self.rows(self.new).filter(task_id=OuterRef("task_id"))
        self.copy(self.rows(self.old).filter(~Exists(copied)))

    def copy(self, inputs) -> None:
        ordered = inputs.order_by("task_id", "position").values_list(*COLUMNS)
        groups = list(grouped(ordered.iterator(chunk_size=10_000)))
        ids = self.intern({keys for *_, keys, _ in groups if keys})
        bulk.insert(
            self.new,
            [
                {
                    "task_id": task,
                    "position": position,
                    "identifier": identifier,
                    "dataset_id": dataset,
                    "sample_set_id": ids[keys] if keys else None,
                    "model_id": model,
                    "parent_task_id": parent,
                    "parent_output_identifier": output,
                }
                for task, position, identifier, dataset, model, parent, keys, output in groups
            ],
        )

    def intern(self, values) -> dict:
        """Return the id of the row of each list; insert those that are missing."""
        digests = {keys.digest: keys for keys in values}
        rows = self.rows(self.sets).filter(digest__any=list(digests))
        found = dict(rows.values_list("digest", "pk"))
        missing = {digest: digests[digest] for digest in sorted(digests) if digest not in found}
        bulk.insert(
            self.sets,
            [
                {"keys": [str(key) for key in keys], "count": len(keys), "digest": digest}
                for digest, keys in missing.items()
            ],
        )
        found = dict(rows.all().values_list("digest", "pk"))
        bulk.insert(
            self.members,
            [
                {"sample_set_id": found[digest], "data_sample_id": key}
                for digest, keys in missing.items()
                for key in dict.fromkeys(keys)
            ],
        )
        return {keys: found[digest] for digest, keys in digests.items()}


def grouped(rows):
    """Yield the inputs with data samples that follow each other in one; its keys come last but one."""

    def kind(row):
        task, position, identifier, _dataset, sample, *_ = row
        # Within a task the positions have no gaps.
        return (task, identifier) if sample else (task, position)

    known: dict = {}
    for _, run in groupby(rows, key=kind):
        first, *others = run
        task, position, identifier, dataset, sample, model, parent, output = first
        keys = AssetKeys([sample, *(row[4] for row in others)]) if sample else None
        # Lists repeat from task to task: in memory, too, each is there once.
        keys = known.setdefault(keys, keys)
        yield task, position, identifier, dataset, model, parent, keys, output


def migrate(apps, schema_editor) -> None:
    connection = connections[schema_editor.connection.alias]
    copy = Copy(apps, connection)
    if copy.old._meta.db_table not in connection.introspection.table_names():
        return  # An earlier run was interrupted after its last step.
    copy.in_batches()
    while not switched(copy):
        time.sleep(1)


def switched(copy) -> bool:
    """Drop the old table once everything is copied; return whether others let it.

    Registering tasks waits meanwhile. Reading goes on, and the moment in which it does not is at
    most `PATIENCE` for each table that the old one refers to.
    """
    postgresql = copy.connection.vendor == "postgresql"
    old = copy.connection.ops.quote_name(copy.old._meta.db_table)
    try:
        with transaction.atomic(copy.using), copy.connection.cursor() as cursor:
            if postgresql:
                cursor.execute(f"SET LOCAL lock_timeout = '{PATIENCE}'")
                # No task is registered from here on.
                cursor.execute(f"LOCK TABLE {old} IN SHARE ROW EXCLUSIVE MODE")
            copy.the_rest()
            if postgresql:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(f"DROP TABLE {old}")
            if postgresql:
                cursor.execute(VIEW.format(old=old))
    except DatabaseError as error:
        if postgresql and getattr(error.__cause__, "sqlstate", "") == "55P03":  # lock not available
            logger.warning("Others are using the inputs of tasks; trying again.")
            return False
        raise
    return True


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("assets", "0021_sample_sets"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(migrate)],
            state_operations=[
                migrations.DeleteModel("TaskInput"),
                migrations.AlterModelTable("TaskInputGroup", "assets_taskinputgroup"),
                migrations.RenameModel("TaskInputGroup", "TaskInput"),
                *(
                    migrations.AlterField(
                        "TaskInput",
                        name,
                        models.ForeignKey(f"assets.{to}", models.PROTECT, null=True, db_index=False, related_name=related_name),
                    )
                    for name, to, related_name in (
                        ("dataset", "dataset", "task_inputs"),
                        ("sample_set", "sampleset", "task_inputs"),
                        ("parent_task", "task", "feeds"),
                    )
                ),
                migrations.AlterField(
                    "TaskInput",
                    "task",
                    models.ForeignKey("assets.task", models.CASCADE, db_index=False, related_name="inputs"),
                ),
            ],
        ),
    ]
