"""What the APIs of datasets and functions share: their order and their downloads. Contract 1.5."""

from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request

from ..common.api.renderers import FILE_RENDERERS
from ..common.api.viewsets import AssetViewSet
from .downloads import MARKDOWN, MARKDOWN_RESPONSES, check_key, download


class DescribedAssetViewSet(AssetViewSet):
    """The API of named assets with permissions, a description and other files."""

    ordering_fields = {
        "creation_date": "creation_date",
        "key": "key",
        "name": "name_order",
        "owner": "owner_id",
    }

    def get_downloadable(self, key: str) -> Any:
        """Return the asset with this key and its permissions.

        Raises:
            ValidationError: the key is not a UUID.
            NotFound: there is no such asset.
        """
        check_key(key)
        self.queryset = self.get_queryset().select_related("permissions")
        return self.get_object()

    @extend_schema(responses=MARKDOWN_RESPONSES)
    # Not called `description`, an attribute that every viewset has.
    @action(
        detail=True, url_path="description", url_name="description", renderer_classes=FILE_RENDERERS
    )
    def download_description(self, request: Request, key: str, **kwargs: Any) -> HttpResponseBase:
        """Download the description."""
        asset = self.get_downloadable(key)
        filename = "description.md"
        return download(request, asset.permissions, asset, "description", filename, MARKDOWN)
