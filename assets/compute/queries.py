"""What lists and pages ask about plans and tasks."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db.models import DurationField, ExpressionWrapper, F, QuerySet
from django.db.models.functions import Coalesce, Now

from .models import TaskInput, TaskOutput


def with_duration(queryset: QuerySet) -> QuerySet:
    """Annotate plans or tasks with `elapsed`, how long they have run: a timedelta, or None."""
    end = Coalesce(F("end_date"), Now())
    elapsed = ExpressionWrapper(end - F("start_date"), output_field=DurationField())
    return queryset.annotate(elapsed=elapsed)


def input_refs_of(keys: Collection[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    """Return each task's inputs in the order given, as the wire has them; one query."""
    refs: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    rows = TaskInput.objects.filter(task_id__any=keys).order_by("task", "position")
    for key, identifier, dataset, sample, model, parent, output in rows.values_list(
        "task_id",
        "identifier",
        "dataset_id",
        "data_sample_id",
        "model_id",
        "parent_task_id",
        "parent_output_identifier",
    ):
        refs[key].append(
            {
                "identifier": identifier,
                "asset_key": next(filter(None, (dataset, sample, model)), None),
                "parent_task_key": parent,
                "parent_task_output_identifier": output or None,
            }
        )
    return refs


def outputs_of(keys: Collection[UUID]) -> dict[UUID, list[tuple[str, int, bool]]]:
    """Return each task's outputs as (identifier, permissions id, transient); one query."""
    outputs: dict[UUID, list[tuple[str, int, bool]]] = defaultdict(list)
    rows = TaskOutput.objects.filter(task_id__any=keys).order_by("task", "pk")
    for key, identifier, permissions, transient in rows.values_list(
        "task_id", "identifier", "permissions_id", "transient"
    ):
        outputs[key].append((identifier, permissions, transient))
    return outputs
