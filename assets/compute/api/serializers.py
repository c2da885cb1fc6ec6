"""Compute plans, tasks and their outputs in the API. Contract 2.6 to 2.9."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from ...common.api.serializers import FileSerializer, JSONValueField, WireSerializer
from ...functions.serializers import FunctionSerializer
from ...permissions.serializers import (
    PermissionSerializer,
    PermissionsSerializer,
    permission_wire,
    process_and_download,
)
from ..queries.lists import visible_creator
from ..queries.responses import (
    PLAN_COLUMNS,
    inputs_of,
    model_rows,
    plan_rows,
    task_rows,
)
from ..statuses import ErrorType, PlanStatus, TaskStatus, estimated_end
from .dialects import dialect_of


def seconds_between(start: datetime | None, end: datetime | None, now: datetime) -> int:
    """Return whole seconds from start to end, or to now; 0 if not started."""
    return int(((end or now) - start).total_seconds()) if start else 0


class ComputePlanSerializer(WireSerializer):
    """Represents compute plans in responses."""

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

    rows = plan_rows

    def objects(self, rows: Sequence[tuple[Any, ...]]) -> list[dict[str, Any]]:
        request, now = self.context["request"], timezone.now()
        dialect = dialect_of(request)
        organization = request.user.organization_id
        objects = []
        for key, failed, owner, creator, metadata, *columns in rows:
            plan = dict(zip(PLAN_COLUMNS, columns, strict=True))
            plan |= {
                "key": key,
                "failed_task_key": failed,
                "owner": owner,
                "metadata": metadata,
                "creator": visible_creator(creator, owner, organization),
                "estimated_end_date": estimated_end(
                    plan["status"],
                    plan["start_date"],
                    plan["end_date"],
                    plan["done_count"],
                    plan["task_count"],
                    now,
                ),
                "duration": seconds_between(plan["start_date"], plan["end_date"], now),
                "status": dialect.plan_status(plan),
                **dialect.counters(plan),
            }
            objects.append(plan)
        return objects


class InputRefSerializer(serializers.Serializer):
    """Documents the source of an input: an asset, or an output of a parent task."""

    identifier = serializers.CharField()
    asset_key = serializers.UUIDField(allow_null=True, required=False)
    parent_task_key = serializers.UUIDField(allow_null=True, required=False)
    parent_task_output_identifier = serializers.CharField(allow_null=True, required=False)


class TaskOutputSerializer(serializers.Serializer):
    """Documents an output of a task."""

    permissions = PermissionsSerializer()
    transient = serializers.BooleanField()


class TaskSerializer(WireSerializer):
    """Represents tasks in responses."""

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

    rows = task_rows

    def objects(self, rows: Sequence[tuple[Any, ...]]) -> list[dict[str, Any]]:
        inputs = inputs_of([row[0] for row in rows])
        # Each function once, for any number of tasks.
        functions = FunctionSerializer(context=self.context).by_key({row[1] for row in rows})
        dialect, now = dialect_of(self.context["request"]), timezone.now()
        objects = []
        for key, function, owner, worker, plan, rank, status, tag, metadata, *rest in rows:
            created, start, end, error_type, *logs_permission, outputs = rest
            objects.append(
                {
                    "key": key,
                    "function": functions[function],
                    "owner": owner,
                    "worker": worker,
                    "compute_plan_key": plan,
                    "rank": rank,
                    "status": dialect.task_status(status),
                    "tag": tag,
                    "metadata": metadata,
                    "creation_date": created,
                    "start_date": start,
                    "end_date": end,
                    "duration": seconds_between(start, end, now),
                    "error_type": error_type or None,
                    "logs_permission": permission_wire(*logs_permission),
                    "inputs": inputs[key],
                    "outputs": outputs,
                }
            )
        return objects


class ModelSerializer(WireSerializer):
    """Represents models in responses; a disabled model has no address."""

    key = serializers.UUIDField()
    compute_task_key = serializers.UUIDField()
    owner = serializers.CharField()
    creation_date = serializers.DateTimeField()
    permissions = PermissionsSerializer()
    address = FileSerializer(allow_null=True)

    rows = model_rows

    def objects(self, rows: Sequence[tuple[Any, ...]]) -> list[dict[str, Any]]:
        base_url = f"{self.base_url}/model"
        return [
            {
                "key": key,
                "compute_task_key": task,
                "owner": owner,
                "creation_date": created,
                "permissions": process_and_download(*permissions),
                "address": {"checksum": checksum, "storage_address": f"{base_url}/{key}/file/"}
                if file
                else None,
            }
            for key, task, owner, created, file, checksum, *permissions in rows
        ]


class TaskAssetSerializer(serializers.Serializer):
    """Documents an input or output asset of a task."""

    identifier = serializers.CharField()
    kind = serializers.CharField()
    asset = serializers.JSONField()


class PerformanceRowSerializer(serializers.Serializer):
    """Documents one performance of the list over all plans."""

    compute_plan_key = serializers.UUIDField()
    compute_plan_name = serializers.CharField()
    compute_plan_tag = serializers.CharField()
    compute_plan_status = serializers.CharField()
    compute_plan_start_date = serializers.DateTimeField(allow_null=True)
    compute_plan_end_date = serializers.DateTimeField(allow_null=True)
    compute_plan_metadata = serializers.DictField(child=serializers.CharField())
    worker = serializers.CharField()
    task_rank = serializers.IntegerField()
    task_round = serializers.CharField(allow_null=True)
    identifier = serializers.CharField()
    performance = serializers.FloatField()


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
    """Return the JSON object of a body; an HTML form has objects and lists as JSON texts.

    Raises:
        ValidationError: a text is not JSON.
    """
    if not hasattr(data, "getlist"):
        return data if isinstance(data, dict) else {}
    values = {name: data[name] for name in data if data[name] != ""}
    for name in ("metadata", "tasks"):
        if name in values:
            try:
                values[name] = JSONValueField(binary=True).run_validation(values[name])
            except serializers.ValidationError as error:
                raise serializers.ValidationError({name: error.detail}) from error
    return values
