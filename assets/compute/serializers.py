"""Compute plans and tasks on the wire. Contract 2.6, 2.7."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from ..common.api import WireSerializer
from ..functions.models import Function
from ..functions.serializers import FunctionSerializer
from ..permissions.serializers import (
    PermissionSerializer,
    PermissionsSerializer,
    permission_wires,
    process_and_download,
)
from .dialects import dialect_of
from .models import ComputePlan, Task
from .queries import creator_of, input_refs_of, outputs_of
from .statuses import COUNTERS, ErrorType, PlanStatus, TaskStatus


def seconds_between(start: datetime | None, end: datetime | None, now: datetime) -> int:
    """Return whole seconds from start to end, or to now; 0 for what has not started."""
    return int(((end or now) - start).total_seconds()) if start else 0


class ComputePlanSerializer(WireSerializer):
    """A compute plan of a response."""

    key = serializers.UUIDField()
    owner = serializers.CharField()
    name = serializers.CharField()
    tag = serializers.CharField()
    metadata = serializers.DictField(child=serializers.CharField())
    creator = serializers.CharField(
        help_text='The user, "external" for other organisations, "deleted" for a removed user.'
    )
    creation_date = serializers.DateTimeField()
    start_date = serializers.DateTimeField(allow_null=True)
    end_date = serializers.DateTimeField(allow_null=True)
    estimated_end_date = serializers.DateTimeField(allow_null=True)
    duration = serializers.IntegerField(help_text="seconds")
    status = serializers.ChoiceField(choices=PlanStatus.values)
    failed_task_key = serializers.UUIDField(allow_null=True)
    task_count = serializers.IntegerField()
    waiting_builder_slot_count = serializers.IntegerField()
    building_count = serializers.IntegerField()
    waiting_parent_tasks_count = serializers.IntegerField()
    waiting_executor_slot_count = serializers.IntegerField()
    executing_count = serializers.IntegerField()
    done_count = serializers.IntegerField()
    failed_count = serializers.IntegerField()
    canceled_count = serializers.IntegerField()
    waiting_count = serializers.IntegerField(help_text="for SDKs up to 0.49")
    todo_count = serializers.IntegerField(help_text="for SDKs up to 0.49")
    doing_count = serializers.IntegerField(help_text="for SDKs up to 0.50")

    def represent(self, rows: Sequence[ComputePlan]) -> list[dict[str, Any]]:
        request, now = self.context["request"], timezone.now()
        dialect = dialect_of(request)
        organization = request.user.organization_id
        return [
            {
                "key": plan.key,
                "owner": plan.owner_id,
                "name": plan.name,
                "tag": plan.tag,
                "metadata": plan.metadata,
                "creator": creator_of(plan, organization),
                "creation_date": plan.creation_date,
                "start_date": plan.start_date,
                "end_date": plan.end_date,
                "estimated_end_date": _estimated_end(plan, now),
                "duration": seconds_between(plan.start_date, plan.end_date, now),
                "status": dialect.plan_status(plan),
                "failed_task_key": plan.failed_task_key,
                "task_count": plan.task_count,
                **{column: getattr(plan, column) for column in COUNTERS.values()},
                **dialect.counters(plan),
            }
            for plan in rows
        ]


def _estimated_end(plan: ComputePlan, now: datetime) -> datetime | None:
    if plan.status == PlanStatus.DOING and plan.done_count and plan.start_date:
        pace = (now - plan.start_date) / plan.done_count
        return now + pace * (plan.task_count - plan.done_count)
    return plan.end_date


class InputRefSerializer(serializers.Serializer):
    """Documents what feeds an input: an asset, or else an output of a parent task."""

    identifier = serializers.CharField()
    asset_key = serializers.UUIDField(allow_null=True, required=False)
    parent_task_key = serializers.UUIDField(allow_null=True, required=False)
    parent_task_output_identifier = serializers.CharField(allow_null=True, required=False)


class TaskOutputSerializer(serializers.Serializer):
    """Documents an output of a task."""

    permissions = PermissionsSerializer()
    transient = serializers.BooleanField()


class TaskSerializer(WireSerializer):
    """A task of a response."""

    key = serializers.UUIDField()
    function = FunctionSerializer()
    owner = serializers.CharField()
    worker = serializers.CharField()
    compute_plan_key = serializers.UUIDField()
    rank = serializers.IntegerField()
    status = serializers.ChoiceField(choices=TaskStatus.values)
    tag = serializers.CharField()
    metadata = serializers.DictField(child=serializers.CharField())
    creation_date = serializers.DateTimeField()
    start_date = serializers.DateTimeField(allow_null=True)
    end_date = serializers.DateTimeField(allow_null=True)
    duration = serializers.IntegerField(help_text="seconds")
    error_type = serializers.ChoiceField(choices=ErrorType.values, allow_null=True)
    logs_permission = PermissionSerializer()
    inputs = InputRefSerializer(many=True)
    outputs = serializers.DictField(child=TaskOutputSerializer())

    def represent(self, rows: Sequence[Task]) -> list[dict[str, Any]]:
        keys = [task.key for task in rows]
        inputs, outputs = input_refs_of(keys), outputs_of(keys)
        ids = {output[1] for found in outputs.values() for output in found}
        permissions = permission_wires(ids | {task.logs_permission_id for task in rows})
        functions = self._functions({task.function_id for task in rows})
        dialect, now = dialect_of(self.context["request"]), timezone.now()
        return [
            {
                "key": task.key,
                "function": functions[task.function_id],
                "owner": task.owner_id,
                "worker": task.worker_id,
                "compute_plan_key": task.compute_plan_id,
                "rank": task.rank,
                "status": dialect.task_status(task.status),
                "tag": task.tag,
                "metadata": task.metadata,
                "creation_date": task.creation_date,
                "start_date": task.start_date,
                "end_date": task.end_date,
                "duration": seconds_between(task.start_date, task.end_date, now),
                "error_type": task.error_type or None,
                "logs_permission": permissions[task.logs_permission_id],
                "inputs": inputs[task.key],
                "outputs": {
                    identifier: {
                        "permissions": process_and_download(permissions[pk]),
                        "transient": transient,
                    }
                    for identifier, pk, transient in outputs[task.key]
                },
            }
            for task in rows
        ]

    def _functions(self, keys: set) -> dict:
        """Represent each function once, however many tasks run it."""
        rows = list(Function.objects.filter(key__any=keys))
        wire = FunctionSerializer(rows, many=True, context=self.context).data
        return {item["key"]: item for item in wire}


class OutputSpecSerializer(serializers.Serializer):
    """Documents an output of a task to be registered."""

    permissions = PermissionSerializer()
    transient = serializers.BooleanField(required=False, help_text="Or `is_transient`.")


class TaskSpecSerializer(serializers.Serializer):
    """Documents a task to be registered; `specs.read_task` reads it."""

    key = serializers.UUIDField(help_text="Or `task_id`.")
    compute_plan_key = serializers.UUIDField(required=False)
    function_key = serializers.UUIDField()
    worker = serializers.CharField(required=False)
    tag = serializers.CharField(required=False, allow_null=True)
    metadata = serializers.DictField(child=serializers.CharField(), required=False, allow_null=True)
    rank = serializers.IntegerField(required=False, allow_null=True, help_text="Ignored.")
    inputs = InputRefSerializer(many=True, required=False, allow_null=True)
    outputs = serializers.DictField(child=OutputSpecSerializer(), required=False, allow_null=True)


class TaskBatchSerializer(serializers.Serializer):
    """Documents a batch of tasks of one plan."""

    tasks = serializers.JSONField(help_text="A list of tasks, all registered or none.")


class ComputePlanSpecSerializer(serializers.Serializer):
    """Documents a plan to be registered; `specs.parse_compute_plan` reads it."""

    key = serializers.UUIDField()
    name = serializers.CharField()
    tag = serializers.CharField(required=False, allow_null=True)
    metadata = serializers.JSONField(required=False, allow_null=True)
    tasks = serializers.JSONField(
        required=False, allow_null=True, help_text="Tasks to register with the plan."
    )


def as_json(data: Any) -> dict[str, Any]:
    """Return a body as its JSON object; an HTML form holds objects and lists as JSON texts."""
    if not hasattr(data, "getlist"):
        return data if isinstance(data, dict) else {}
    values = {name: data[name] for name in data if data[name] != ""}
    for name in ("metadata", "tasks"):
        if name in values:
            values[name] = serializers.JSONField(binary=True).run_validation(values[name])
    return values
