"""`/model/`, and the logs of failed tasks and functions. Contract 2.8, 2.10."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.views import APIView

from ...accounts.api.authentication import AUTHENTICATE_RUNNERS_TOO
from ...common.api.renderers import FILE_RENDERERS
from ...common.api.viewsets import AssetViewSet
from ...common.audit import Agent
from ...common.parsing import as_key
from ...permissions.access import model_export_is_enabled
from ...permissions.downloads import (
    FILE_RESPONSES,
    PLAIN_TEXT,
    NotPermitted,
    check_key,
    download,
    file_responses,
)
from ..models import Model, Task
from ..queries.outputs import report_about, report_of
from .filters import ModelFilterSet
from .serializers import ModelSerializer


class ModelViewSet(AssetViewSet):
    """Models: files that tasks make."""

    queryset = Model.objects.all()
    serializer_class = ModelSerializer
    filterset_class = ModelFilterSet
    ordering_fields = {"creation_date": "creation_date", "key": "key"}
    http_method_names = ["get", "head", "options"]

    @extend_schema(responses=FILE_RESPONSES)
    @action(
        detail=True,
        renderer_classes=FILE_RENDERERS,
        authentication_classes=AUTHENTICATE_RUNNERS_TOO,
    )
    def file(self, request: Request, key: str, **kwargs):
        """Download the model; 410 if it is disabled."""
        # A runner runs what its organisation may process: that exports no model.
        if not (model_export_is_enabled() or isinstance(request.user, Agent)):
            raise NotPermitted("This server hands out no models.")
        check_key(key)
        self.queryset = Model.objects.select_related("permissions")
        model = self.get_object()
        return download(request, model.permissions, model, "file", f"model_{model.key}")


class LogsView(APIView):
    """The logs of a failed task or function, at the address that SDKs up to 0.49 use."""

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
    """Return the logs of a task or a function, by `task_id` or `function_id`.

    Raises:
        NotFound: there are no logs.
        NotPermitted: the user may not read them.
    """
    if "task_id" in asset:
        task = Task.objects.filter(pk=asset["task_id"]).first()
        report = report_of(task) if task else None
    else:
        report = report_about(**asset)
    if report is None or not report.logs:
        raise NotFound("Not found: this task has no logs; only failed tasks do.")
    name = f"tuple_logs_{report.function_id or report.task_id}.txt"
    return download(request, report.permissions, report, "logs", name, PLAIN_TEXT)
