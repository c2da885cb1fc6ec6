"""The rows of API responses: plans, tasks, their inputs and outputs, models."""

from collections import defaultdict
from collections.abc import Collection
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.db.models import Case, OuterRef, QuerySet, TextField, When, Window
from django.db.models.functions import Cast, Coalesce, RowNumber
from django.db.models.lookups import Exact

from ...common.db.compiled import Compiled, Rows, key_text, stored_json
from ...common.db.nested import JSONRows, JSONText
from ...permissions.queries import permission_columns
from ..inputs import InputRef
from ..models import ComputePlan, Model, ProfilingStep, Task, TaskInput, TaskOutput
from ..statuses import COUNTERS

# The values of a plan that a response has unchanged, in the order of `plan_rows`.
PLAN_COLUMNS = (
    *("name", "tag", "creation_date", "start_date", "end_date", "status", "task_count"),
    *COUNTERS.values(),
)


# Plans: key, key of the failed task, owner, creator's name, metadata, PLAN_COLUMNS.
plan_rows = Rows(
    ComputePlan,
    *(key_text("key"), key_text("failed_task_key"), "owner_id", "creator__username"),
    *(stored_json("metadata"), *PLAN_COLUMNS),
)

_PERMISSION = '{"public":?,"authorized_ids":?}'
_OUTPUT = JSONText(
    f'?:{{"permissions":{{"process":{_PERMISSION},"download":{_PERMISSION}}},"transient":?}}',
    "identifier",
    *("permissions__public", "permissions__authorized_ids") * 2,
    "transient",
)
# Tasks with their outputs, without their inputs.
task_rows = Rows(
    Task,
    *(key_text("key"), key_text("function_id"), "owner_id", "worker_id"),
    *(key_text("compute_plan_id"), "rank", "status"),
    *("tag", stored_json("metadata"), "creation_date", "start_date", "end_date", "error_type"),
    *permission_columns("logs_permission"),
    JSONRows(TaskOutput.objects.filter(task_id=OuterRef("pk")).order_by("pk"), _OUTPUT, "{}"),
)


@Compiled
def _input_rows(keys: Collection[UUID]) -> QuerySet:
    rows = TaskInput.objects.filter(task_id__any=keys).order_by("task_id", "position")
    place = Window(RowNumber(), partition_by="sample_set_id", order_by=["task_id", "position"])
    # Of each list only the first occurrence has the keys.
    samples = Case(When(Exact(place, 1), then=Cast("sample_set__keys", TextField())))
    return rows.values_list(
        *(key_text("task_id"), "identifier", "sample_set_id"),
        key_text(Coalesce("dataset_id", "model_id")),
        *(key_text("parent_task_id"), "parent_output_identifier", samples),
    )


class InputRow(NamedTuple):
    """Inputs of a task: data samples with one identifier, or another input."""

    identifier: str
    sample_set: int | None
    # Of a dataset or a model.
    asset: str | None
    parent: str | None
    output: str


def input_rows_of(
    keys: Collection[str],
) -> tuple[dict[str, list[InputRow]], dict[int | None, str]]:
    """Return each task's inputs in their order, and the JSON of each list of samples; one query."""
    rows: dict[str, list[InputRow]] = defaultdict(list)
    samples: dict[int | None, str] = {}
    for key, *columns, text in _input_rows(keys):
        row = InputRow._make(columns)
        rows[key].append(row)
        if text is not None:
            samples[row.sample_set] = text
    return rows, samples


def inputs_of(keys: Collection[str]) -> dict[str, bytes]:
    """Return the JSON of each task's inputs, as the API answers them; one query.

    Equal inputs are the same bytes, however many tasks have them.
    """
    samples: dict[Any, bytes] = {}
    found: dict[str, list[bytes]] = {key: [] for key in keys}
    for key, identifier, sample_set, asset, parent, output, text in _input_rows(keys):
        if sample_set is None:
            ref = (identifier, asset, parent, output or None)
            found[key].append(orjson.dumps(dict(zip(InputRef._fields, ref, strict=True))))
            continue
        if text is not None:
            # Each database spaces JSON its own way.
            samples[sample_set] = text.replace(" ", "")[1:-1].encode()
        same = (identifier, sample_set)
        if same not in samples:
            samples[same] = _json_of(identifier, samples[sample_set])
        found[key].append(samples[same])
    joined = cache(lambda inputs: b"[" + b",".join(inputs) + b"]")
    return {key: joined(tuple(inputs)) for key, inputs in found.items()}


def _json_of(identifier: str, samples: bytes) -> bytes:
    """Return the inputs with these keys, which are separated by commas; so are the inputs."""
    start = b'{"identifier":' + orjson.dumps(identifier) + b',"asset_key":'
    end = b',"parent_task_key":null,"parent_task_output_identifier":null}'
    return start + samples.replace(b",", end + b"," + start) + end


_STEP = JSONText('{"step":?,"duration":?}', "step", "duration")
# Tasks with how long their steps took.
profiling_rows = Rows(
    Task,
    *(key_text("key"), "start_date", "end_date"),
    JSONRows(ProfilingStep.objects.filter(task_id=OuterRef("pk")).order_by("pk"), _STEP),
)

# Models with the keys of their tasks.
model_rows = Rows(
    Model,
    *(key_text("key"), key_text("task_id"), "owner_id", "creation_date"),
    *("file", "file_checksum"),
    *permission_columns("permissions"),
)
