"""`/function/`. Contract 2.5."""

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from ..common.api.renderers import FILE_RENDERERS
from ..common.api.viewsets import AssetViewSet
from ..common.idempotency.api import idempotent
from ..permissions.downloads import (
    FILE_RESPONSES,
    MARKDOWN,
    MARKDOWN_RESPONSES,
    check_key,
    download,
)
from . import registration
from .filters import FunctionFilterSet
from .models import Function
from .serializers import FunctionSerializer, FunctionSpecSerializer


class FunctionViewSet(AssetViewSet):
    """Functions: code with a Dockerfile, its inputs and its outputs."""

    queryset = Function.objects.all()
    serializer_class = FunctionSerializer
    spec_serializer_class = FunctionSpecSerializer
    filterset_class = FunctionFilterSet
    ordering_fields = {
        "creation_date": "creation_date",
        "key": "key",
        "name": "name_order",
        "owner": "owner_id",
    }

    @extend_schema(request=FunctionSpecSerializer, responses={201: FunctionSerializer})
    @idempotent(AssetViewSet.answer_created)
    def create(self, request: Request, *args, **kwargs) -> Response:
        function = registration.register_function(self.parsed(request), self.user)
        return self.answer_created([str(function.key)])

    def rename(self, function: Function, name: str) -> None:
        registration.rename_function(function, name, self.user)

    @extend_schema(responses=FILE_RESPONSES)
    @action(detail=True, renderer_classes=FILE_RENDERERS)
    def file(self, request: Request, key: str, **kwargs):
        """Download the archive."""
        function = self._downloadable(key)
        suffix = function.archive.name.rpartition("/function")[2]
        return download(request, function.permissions, function, "archive", f"function{suffix}")

    @extend_schema(responses=MARKDOWN_RESPONSES)
    # Not called `description`: a viewset has an attribute of that name.
    @action(
        detail=True,
        url_path="description",
        url_name="description",
        renderer_classes=FILE_RENDERERS,
    )
    def download_description(self, request: Request, key: str, **kwargs):
        """Download the description."""
        function = self._downloadable(key)
        return download(
            request, function.permissions, function, "description", "description.md", MARKDOWN
        )

    @extend_schema(responses=FILE_RESPONSES)
    @action(detail=True, renderer_classes=FILE_RENDERERS)
    def image(self, request: Request, key: str, **kwargs):
        """Download the built image; 410 until there is one."""
        function = self._downloadable(key)
        return download(request, function.permissions, function, "image", "image.tar")

    def _downloadable(self, key: str) -> Function:
        check_key(key)
        self.queryset = Function.objects.select_related("permissions")
        return self.get_object()
