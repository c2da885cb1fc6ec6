"""The rows of API responses: plans, tasks, their inputs and outputs, models."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Coalesce

from ...common.db.compiled import Compiled, key_text, stored_json
from ...permissions.queries import permission_columns
from ..models import ComputePlan, Model, Task, TaskInput, TaskOutput
from ..statuses import COUNTERS

# The values of a plan that a response has unchanged, in the order of `plan_rows`.
PLAN_COLUMNS = (
    *("name", "tag", "creation_date", "start_date", "end_date", "status", "task_count"),
    *COUNTERS.values(),
)


@Compiled
def plan_rows(keys: Collection[UUID]) -> QuerySet:
    """Plans by key: key, key of the failed task, owner, creator's name, metadata, PLAN_COLUMNS."""
    return ComputePlan.objects.filter(key__any=keys).values_list(
        key_text("key"),
        key_text("failed_task_key"),
        *("owner_id", "creator__username"),
        stored_json("metadata"),
        *PLAN_COLUMNS,
    )


@Compiled
def task_rows(keys: Collection[UUID]) -> QuerySet:
    """Tasks by key, without their inputs and outputs."""
    return Task.objects.filter(key__any=keys).values_list(
        *(key_text("key"), key_text("function_id"), "owner_id", "worker_id"),
        *(key_text("compute_plan_id"), "rank", "status"),
        *("tag", stored_json("metadata"), "creation_date", "start_date", "end_date", "error_type"),
        *permission_columns("logs_permission"),
    )


@Compiled
def _inputs(keys: Collection[UUID]) -> QuerySet:
    rows = TaskInput.objects.filter(task_id__any=keys).order_by("task_id", "position")
    return rows.values_list(
        *(key_text("task_id"), "identifier"),
        key_text(Coalesce("dataset_id", "data_sample_id", "model_id")),
        *(key_text("parent_task_id"), "parent_output_identifier"),
    )


def input_refs_of(keys: Collection[str]) -> dict[str, list[dict[str, Any]]]:
    """Return each task's inputs in their order, as the API answers them; one query."""
    refs: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for key, identifier, asset, parent, output in _inputs(keys):
        refs[key].append(
            {
                "identifier": identifier,
                "asset_key": asset,
                "parent_task_key": parent,
                "parent_task_output_identifier": output or None,
            }
        )
    return refs


@Compiled
def output_rows(keys: Collection[UUID]) -> QuerySet:
    """Outputs of the tasks, by task."""
    rows = TaskOutput.objects.filter(task_id__any=keys).order_by("task_id", "pk")
    return rows.values_list(
        key_text("task_id"), "identifier", "transient", *permission_columns("permissions")
    )


@Compiled
def model_rows(keys: Collection[UUID]) -> QuerySet:
    """Models by key."""
    return Model.objects.filter(key__any=keys).values_list(
        *(key_text("key"), key_text("task_id"), "owner_id", "creation_date"),
        *("file", "file_checksum"),
        *permission_columns("permissions"),
    )
