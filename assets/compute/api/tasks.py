"""`/task/`, with the assets that tasks take and make. Contract 2.7."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from ...common.api.renderers import FILE_RENDERERS
from ...common.idempotency.api import idempotent
from ...common.kinds import AssetKind
from ...datasets.serializers import DataSampleSerializer, DatasetSerializer
from ...permissions.downloads import file_responses
from ..models import Task
from ..queries.outputs import TaskAsset, input_assets, output_models, output_performances
from ..specs import parse_tasks
from .base import TASK_ORDERING, TaskAnsweringViewSet, takes_many_tasks
from .filters import TaskFilterSet
from .outputs import download_logs
from .serializers import (
    ModelSerializer,
    TaskAssetSerializer,
    TaskBatchSerializer,
    TaskSerializer,
)


class TaskViewSet(TaskAnsweringViewSet):
    """Tasks: runs of a function on one worker, with their inputs and outputs."""

    queryset = Task.objects.all()
    serializer_class = TaskSerializer
    spec_serializer_class = TaskBatchSerializer
    filterset_class = TaskFilterSet
    ordering_fields = TASK_ORDERING
    http_method_names = ["get", "post", "head", "options"]

    @extend_schema(request=TaskBatchSerializer, responses={200: TaskSerializer(many=True)})
    @action(detail=False, methods=["post"])
    @idempotent()
    @takes_many_tasks
    def bulk_create(self, request: Request, **kwargs) -> Response:
        """Register tasks of one plan, all or none. Repeating the same request succeeds."""
        return self.answer_tasks(self.read(parse_tasks))

    @extend_schema(responses={200: TaskAssetSerializer(many=True)})
    @action(detail=True, filterset_class=None)
    def input_assets(self, request: Request, key: str, **kwargs) -> Response:
        """List the assets that the task takes; outputs of its parents once they exist."""
        return self._answer_assets(input_assets(self._task_key()))

    @extend_schema(responses={200: TaskAssetSerializer(many=True)})
    @action(detail=True, filterset_class=None)
    def output_assets(self, request: Request, key: str, **kwargs) -> Response:
        """List the models and performances of the task."""
        task_key = self._task_key()
        performances = [
            {
                "identifier": row["compute_task_output_identifier"],
                "kind": AssetKind.PERFORMANCE,
                "asset": {**row, "channel": settings.CHANNEL},
            }
            for row in output_performances(task_key)
        ]
        return self._answer_assets(output_models(task_key), performances)

    @extend_schema(responses=file_responses("text/plain"))
    @action(detail=True, filterset_class=None, renderer_classes=FILE_RENDERERS)
    def logs(self, request: Request, key: str, **kwargs):
        """Download the logs of a failed task."""
        return download_logs(request, task_id=self._task_key())

    def _task_key(self):
        return self.get_object().key

    def _answer_assets(
        self, assets: Sequence[TaskAsset], ready: Sequence[dict[str, Any]] = ()
    ) -> Response:
        found = sorted([*self._represent(assets), *ready], key=lambda item: item["identifier"])
        params = self.request.query_params
        wanted = [word for word in params.get("kind", "").split(",") if word]
        # An unknown kind filters nothing, as in the reference server.
        if wanted and set(wanted) <= set(AssetKind.values):
            found = [item for item in found if item["kind"] in wanted]
        if wanted := [word for word in params.get("identifier", "").split(",") if word]:
            found = _identified(found, wanted)
        return self.get_paginated_response(self.paginate_queryset(found))

    def _represent(self, assets: Sequence[TaskAsset]) -> list[dict[str, Any]]:
        """Return the assets as the API answers them; a constant number of queries."""
        context = self.get_serializer_context()
        represent: dict[AssetKind, Callable[[list[Any]], Iterable[dict[str, Any]]]] = {
            AssetKind.DATA_MANAGER: DatasetSerializer(context=context).without_samples,
            AssetKind.DATA_SAMPLE: DataSampleSerializer(context=context).of,
            AssetKind.MODEL: ModelSerializer(context=context).of,
        }
        wire: dict[Any, dict[str, Any]] = {}
        for kind in {kind for _, kind, _ in assets}:
            keys = [key for _, found, key in assets if found == kind]
            wire |= {item["key"]: item for item in represent[kind](keys)}
        return [
            {"identifier": identifier, "kind": kind, "asset": wire[str(key)]}
            for identifier, kind, key in assets
        ]


def _identified(found: list[dict[str, Any]], wanted: Iterable[str]) -> list[dict[str, Any]]:
    """Return the assets with these identifiers, in their order.

    The SDK removes spaces from identifiers: if none matches exactly, those match that differ in
    spaces only.
    """
    exact = {item["identifier"] for item in found}
    close = {word.replace(" ", "") for word in wanted if word not in exact}
    return [
        item
        for item in found
        if item["identifier"] in wanted or item["identifier"].replace(" ", "") in close
    ]
