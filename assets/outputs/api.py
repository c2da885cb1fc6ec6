"""`/model/`, task assets and logs. Contract 2.7, 2.8, 2.10."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ..common.api.renderers import FILE_RENDERERS
from ..common.api.viewsets import AssetViewSet
from ..common.kinds import AssetKind
from ..common.parsing import as_key
from ..compute import api
from ..compute.models import Task
from ..datasets.serializers import DataSampleSerializer, DatasetSerializer
from ..permissions.access import model_export_is_enabled
from ..permissions.downloads import (
    FILE_RESPONSES,
    PLAIN_TEXT,
    NotPermitted,
    check_key,
    download,
    file_responses,
)
from .filters import ModelFilterSet
from .models import Model
from .queries import (
    TaskAsset,
    input_assets,
    output_models,
    output_performances,
    report_about,
    report_of,
    who_may_read,
)
from .serializers import ModelSerializer, TaskAssetSerializer


class ModelViewSet(AssetViewSet):
    """Models: files that tasks have made."""

    queryset = Model.objects.all()
    serializer_class = ModelSerializer
    filterset_class = ModelFilterSet
    ordering_fields = {"creation_date": "creation_date", "key": "key"}
    http_method_names = ["get", "head", "options"]

    @extend_schema(responses=FILE_RESPONSES)
    @action(detail=True, renderer_classes=FILE_RENDERERS)
    def file(self, request: Request, key: str, **kwargs):
        """Download the model; 410 once it is disabled."""
        if not model_export_is_enabled():
            raise NotPermitted("This server hands out no models.")
        check_key(key)
        self.queryset = Model.objects.select_related("permissions")
        model = self.get_object()
        return download(request, model.permissions, model, "file", f"model_{model.key}")


class TaskViewSet(api.TaskViewSet):
    """Tasks, with what they take and what they have made."""

    @extend_schema(responses={200: TaskAssetSerializer(many=True)})
    @action(detail=True, filterset_class=None)
    def input_assets(self, request: Request, key: str, **kwargs) -> Response:
        """List the assets that the task takes; those of its parents once they are made."""
        return self._answer_assets(input_assets(self._task_key()))

    @extend_schema(responses={200: TaskAssetSerializer(many=True)})
    @action(detail=True, filterset_class=None)
    def output_assets(self, request: Request, key: str, **kwargs) -> Response:
        """List the models and performances that the task has made."""
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
        """Download the report of a failed task."""
        return download_logs(request, task_id=self._task_key())

    def _task_key(self):
        return self.get_object().key

    def _answer_assets(
        self, assets: Sequence[TaskAsset], ready: Sequence[dict[str, Any]] = ()
    ) -> Response:
        found = sorted([*self._represent(assets), *ready], key=lambda item: item["identifier"])
        params = self.request.query_params
        wanted = [word for word in params.get("kind", "").split(",") if word]
        # An unknown kind is no filter at all, as with the reference server.
        if wanted and set(wanted) <= set(AssetKind.values):
            found = [item for item in found if item["kind"] in wanted]
        if wanted := [word for word in params.get("identifier", "").split(",") if word]:
            found = _identified(found, wanted)
        return self.get_paginated_response(self.paginate_queryset(found))

    def _represent(self, assets: Sequence[TaskAsset]) -> list[dict[str, Any]]:
        """Load and represent the assets kind by kind; a constant number of queries."""
        context = self.get_serializer_context()
        represent: dict[AssetKind, Callable[[list[Any]], Iterable[dict[str, Any]]]] = {
            AssetKind.DATA_MANAGER: DatasetSerializer(context=context).without_samples,
            AssetKind.DATA_SAMPLE: DataSampleSerializer(context=context).objects,
            AssetKind.MODEL: ModelSerializer(context=context).objects,
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

    The SDK asks without the spaces of an identifier: where there is none as asked, those are meant
    that differ in spaces only.
    """
    exact = {item["identifier"] for item in found}
    close = {word.replace(" ", "") for word in wanted if word not in exact}
    return [
        item
        for item in found
        if item["identifier"] in wanted or item["identifier"].replace(" ", "") in close
    ]


class LogsView(APIView):
    """The report of a failed task or function, at the address that SDKs up to 0.49 use."""

    renderer_classes = FILE_RENDERERS

    @extend_schema(
        parameters=[OpenApiParameter("key", OpenApiTypes.UUID, OpenApiParameter.PATH)],
        responses=file_responses("text/plain"),
    )
    def get(self, request: Request, key: str, **kwargs):
        check_key(key)
        is_task = Task.objects.filter(key=key).exists()
        return download_logs(request, **{"task_id" if is_task else "function_id": as_key(key)})


def download_logs(request: Request, **asset: Any):
    """Stream a failure report's logs to those who may read them; 404 when there are none."""
    if "task_id" in asset:
        task = Task.objects.filter(pk=asset["task_id"]).first()
        report = report_of(task) if task else None
    else:
        report = report_about(**asset)
    if report is None or not report.logs:
        raise NotFound("Not found: this task has no logs; only failed tasks do.")
    name = f"tuple_logs_{report.function_id or report.task_id}.txt"
    return download(request, who_may_read(report), report, "logs", name, PLAIN_TEXT)
