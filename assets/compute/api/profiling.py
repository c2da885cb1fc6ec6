"""`/task_profiling/`: how long the steps of tasks took. Contract 2.12."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import Exists, OuterRef
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from ...common.api.serializers import StepSerializer, WireSerializer
from ...common.api.viewsets import AssetViewSet
from ..models import ProfilingStep, Task
from ..queries.responses import profiling_rows
from ..registration import report_steps


class TaskProfilingSerializer(WireSerializer):
    """Represents how long the steps of tasks took, in responses."""

    compute_task_key = serializers.UUIDField()
    task_duration = serializers.IntegerField(
        allow_null=True, help_text="microseconds; null until the task has ended"
    )
    execution_rundown = StepSerializer(many=True)

    rows = profiling_rows

    def objects(self, rows: Sequence[tuple[Any, ...]]) -> list[dict[str, Any]]:
        return [
            {
                "compute_task_key": key,
                "task_duration": (end - start) // timedelta(microseconds=1)
                if start and end
                else None,
                "execution_rundown": steps,
            }
            for key, start, end, steps in rows
        ]

    def by_key(self, keys: Collection[str]) -> dict[str, dict[str, Any]]:
        return {item["compute_task_key"]: item for item in self.of(keys)}


class RundownSerializer(serializers.Serializer):
    """Reads the steps of a task."""

    execution_rundown = StepSerializer(many=True, required=False)


class TaskProfilingSpecSerializer(RundownSerializer):
    """Reads the steps of the task with this key."""

    compute_task_key = serializers.UUIDField()


class DurationSerializer(serializers.Serializer):
    """Reads how long the step in the address took."""

    duration = StepSerializer().fields["duration"]


class TaskProfilingViewSet(AssetViewSet):
    """How long the steps of tasks took, as the workers' runners and users report it.

    Whatever is reported again replaces what was reported before.
    """

    queryset = Task.objects.filter(Exists(ProfilingStep.objects.filter(task=OuterRef("pk"))))
    serializer_class = TaskProfilingSerializer
    ordering_fields = {"creation_date": "creation_date", "key": "key"}
    page_size = 1000

    def get_serializer_class(self) -> type[serializers.Serializer]:
        reading: dict[str | None, type[serializers.Serializer]] = {
            "create": TaskProfilingSpecSerializer,
            "update": RundownSerializer,
            "add_step": StepSerializer,
            "change_step": DurationSerializer,
        }
        return reading.get(self.action, self.serializer_class)

    @extend_schema(request=TaskProfilingSpecSerializer, responses={201: TaskProfilingSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Report how long the steps of a task took."""
        spec = self.parsed(request.data)
        return self._report(spec["compute_task_key"], spec.get("execution_rundown", ()), 201)

    @extend_schema(request=RundownSerializer, responses={200: TaskProfilingSerializer})
    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Report how long the steps of the task took."""
        return self._report(
            self._key(), self.parsed(request.data).get("execution_rundown", ()), 200
        )

    @extend_schema(request=StepSerializer, responses={201: StepSerializer})
    @action(detail=True, methods=["post"], url_path="step")
    def add_step(self, request: Request, key: str, **kwargs: Any) -> Response:
        """Report how long one step of the task took."""
        step = self.parsed(request.data)
        self._report(self._key(), [step], 201)
        return Response(step, status=201)

    @extend_schema(request=DurationSerializer, responses={200: StepSerializer})
    @action(detail=True, methods=["put"], url_path="step/(?P<step>[^/]+)")
    def change_step(self, request: Request, key: str, step: str, **kwargs: Any) -> Response:
        """Report how long this step of the task took."""
        found = {"step": step, **self.parsed(request.data)}
        self._report(self._key(), [found], 200)
        return Response(found)

    def _report(self, key: Any, steps: Iterable[Mapping[str, Any]], status: int) -> Response:
        task = Task.objects.filter(pk=key).first()
        if task is None:
            raise NotFound("Not found.")
        report_steps(task, {step["step"]: step["duration"] for step in steps}, self.user)
        return Response(self.answer([task.key])[0], status=status)
