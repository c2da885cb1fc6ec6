"""The assets that tasks take and make: models, performances and failure reports."""

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import F, QuerySet

from ...common.db.compiled import Compiled, Instances, key_text
from ...common.db.lookups import MetadataValue
from ...common.kinds import AssetKind
from ..models import (
    FailureReport,
    Model,
    Performance,
    ProfilingStep,
    Task,
    TaskInput,
    TaskOutput,
)
from ..statuses import ErrorType, TaskStep

# One asset of a task: identifier, kind, key. Performances have no key of their own.
TaskAsset = tuple[str, AssetKind, UUID | None]


def input_assets(task_key: UUID) -> list[TaskAsset]:
    """Return the input assets of a task, by identifier and position; two queries.

    An output of a parent is listed once it exists, and can be several models.
    """
    inputs = TaskInput.objects.filter(task_id=task_key).select_related("sample_set")
    rows = list(inputs.order_by("identifier", "position"))
    made: dict[tuple[UUID | None, str], list[UUID]] = {}
    outputs = Model.objects.filter(
        task_id__any=[row.parent_task_id for row in rows if row.parent_task_id]
    )
    for key, task, identifier in outputs.order_by("creation_date", "key").values_list(
        "key", "task_id", "output__identifier"
    ):
        made.setdefault((task, identifier), []).append(key)
    found: list[TaskAsset] = []
    for row in rows:
        if row.dataset_id:
            found.append((row.identifier, AssetKind.DATA_MANAGER, row.dataset_id))
        elif row.sample_set:
            keys = map(UUID, row.sample_set.keys)
            found += [(row.identifier, AssetKind.DATA_SAMPLE, key) for key in keys]
        elif row.model_id:
            found.append((row.identifier, AssetKind.MODEL, row.model_id))
        else:
            source = (row.parent_task_id, row.parent_output_identifier)
            found += [(row.identifier, AssetKind.MODEL, key) for key in made.get(source, ())]
    return found


def output_models(task_key: UUID) -> list[TaskAsset]:
    """Return the models of a task; one query."""
    rows = Model.objects.filter(task_id=task_key).order_by("creation_date", "key")
    return [
        (identifier, AssetKind.MODEL, key)
        for identifier, key in rows.values_list("output__identifier", "key")
    ]


def output_performances(task_key: UUID) -> Iterable[Mapping[str, Any]]:
    """Return the performances of a task as the API answers them, without the channel."""
    return list(
        Performance.objects.filter(output__task_id=task_key).values(
            "creation_date",
            compute_task_key=F("output__task_id"),
            compute_task_output_identifier=F("output__identifier"),
            performance_value=F("value"),
        )
    )


class PlanPerformance(NamedTuple):
    """A performance and the task that measured it."""

    task_key: str
    function_key: str
    rank: int
    # From the task's metadata; None if it has none.
    round_idx: str | None
    worker: str
    identifier: str
    value: float


def plan_performances(plan_key: UUID, limit: int | None = None) -> list[PlanPerformance]:
    """Return a plan's performances, or the first of them, by rank and worker; one query."""
    return list(map(PlanPerformance._make, _performances(limit)([plan_key])))


# One statement for the API, which needs all, and one for each number that a page shows.
@lru_cache(maxsize=8)
def _performances(limit: int | None) -> Compiled:
    task = "output__task__"

    def build(plan_keys: Any) -> QuerySet:
        rows = Performance.objects.filter(output__task__compute_plan_id__only=plan_keys).order_by(
            f"{task}rank", f"{task}worker_id", "output__identifier", "pk"
        )
        return rows.values_list(
            *(key_text(f"{task}key"), key_text(f"{task}function_id"), f"{task}rank"),
            MetadataValue(f"{task}metadata", "round_idx"),
            *(f"{task}worker_id", "output__identifier", "value"),
        )[:limit]

    return Compiled(build)


def ranks_and_rounds(plan_key: UUID) -> tuple[list[int], list[str]]:
    """Return the distinct ranks and `round_idx` metadata values of a plan's tasks; one query."""
    found = _ranks_and_rounds([plan_key])
    rounds = {text for _, text in found if text is not None}
    return sorted({rank for rank, _ in found}), sorted(rounds, key=lambda text: (len(text), text))


@Compiled
def _ranks_and_rounds(plan_keys: Collection[UUID]) -> QuerySet:
    tasks = Task.objects.filter(compute_plan_id__only=plan_keys)
    return tasks.values_list("rank", MetadataValue("metadata", "round_idx")).distinct()


@Instances
def outputs_with_permissions(task_keys: Collection[UUID]) -> QuerySet[TaskOutput]:
    """Return the outputs of a task; one query."""
    rows = TaskOutput.objects.filter(task_id__only=task_keys).order_by("pk")
    return rows.select_related("permissions")


def models_of(task_key: UUID) -> dict[str, list[Model]]:
    """Return the models of a task, by output; one query."""
    found: dict[str, list[Model]] = {}
    for model in _models([task_key]):
        found.setdefault(model.output.identifier, []).append(model)
    return found


@Instances
def _models(task_keys: Collection[UUID]) -> QuerySet[Model]:
    rows = Model.objects.filter(task_id__only=task_keys).order_by("creation_date", "key")
    return rows.select_related("output", "permissions")


def performances_of(task_key: UUID) -> dict[str, Performance]:
    """Return the performances of a task, by output; one query."""
    return {found.output.identifier: found for found in _performances_of([task_key])}


@Instances
def _performances_of(task_keys: Collection[UUID]) -> QuerySet[Performance]:
    rows = Performance.objects.filter(output__task_id__only=task_keys)
    return rows.select_related("output")


def steps_of(task_key: UUID) -> dict[str, int]:
    """Return how many microseconds each step of a task took, in order; one query."""
    took = dict(_steps([task_key]))
    return {step.value: took[step] for step in TaskStep if step in took}


@Compiled
def _steps(task_keys: Collection[UUID]) -> QuerySet:
    rows = ProfilingStep.objects.filter(task_id__only=task_keys).order_by()
    return rows.values_list("step", "duration")


def report_of(task: Task) -> FailureReport | None:
    """Return the report of a failed task; one query.

    If its function could not be built, that is the function's report.
    """
    if task.error_type == ErrorType.BUILD:
        return report_about(function_id=task.function_id)
    return report_about(task_id=task.pk)


def report_about(**asset: Any) -> FailureReport | None:
    """Return the report about a task or a function, by `task_id` or `function_id`; one query."""
    reports = FailureReport.objects.select_related("task__logs_permission", "function__permissions")
    return reports.filter(**asset).first()
