"""`/function/`. Contract 2.5."""

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from ..common.api.renderers import FILE_RENDERERS
from ..common.api.viewsets import AssetViewSet
from ..common.idempotency.api import idempotent
from ..feed.registration import rename
from ..permissions.api import DescribedAssetViewSet
from ..permissions.downloads import FILE_RESPONSES, download
from . import registration
from .filters import FunctionFilterSet
from .models import Function, FunctionStep
from .queries import steps_of
from .serializers import (
    FunctionProfilingSerializer,
    FunctionSerializer,
    FunctionSpecSerializer,
)


class FunctionViewSet(DescribedAssetViewSet):
    """Functions: code with a Dockerfile, its inputs and its outputs."""

    queryset = Function.objects.all()
    serializer_class = FunctionSerializer
    spec_serializer_class = FunctionSpecSerializer
    filterset_class = FunctionFilterSet

    @extend_schema(request=FunctionSpecSerializer, responses={201: FunctionSerializer})
    @idempotent(AssetViewSet.answer_created)
    def create(self, request: Request, *args, **kwargs) -> Response:
        function = registration.register_function(self.parsed(request.data), self.user)
        return self.answer_created([str(function.key)])

    def rename(self, function: Function, name: str) -> None:
        rename(self.user, function, name)

    @extend_schema(responses=FILE_RESPONSES)
    @action(detail=True, renderer_classes=FILE_RENDERERS)
    def file(self, request: Request, key: str, **kwargs):
        """Download the archive."""
        function = self.get_downloadable(key)
        suffix = function.archive.name.rpartition("/function")[2]
        return download(request, function.permissions, function, "archive", f"function{suffix}")

    @extend_schema(responses={200: FunctionProfilingSerializer})
    @action(detail=True, filterset_class=None, pagination_class=None)
    def profiling(self, request: Request, key: str, **kwargs) -> Response:
        """Show how long the steps of the build took."""
        function_key = self.get_object().key
        took = steps_of(function_key)
        is_whole = len(took) == len(FunctionStep)
        rundown = [{"step": step, "duration": duration} for step, duration in took.items()]
        return Response(
            {
                "function_key": function_key,
                "execution_rundown": rundown,
                "duration": sum(took.values()) if is_whole else None,
            }
        )

    @extend_schema(responses=FILE_RESPONSES)
    @action(detail=True, renderer_classes=FILE_RENDERERS)
    def image(self, request: Request, key: str, **kwargs):
        """Download the built image; 410 until there is one."""
        function = self.get_downloadable(key)
        return download(request, function.permissions, function, "image", "image.tar")
