"""The only place where bytes leave. Contract 1.5."""

from typing import Any

from django.core.files.storage import default_storage
from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework.exceptions import APIException, PermissionDenied, ValidationError
from rest_framework.request import Request

from ..common.parsing import as_key
from .access import may_download
from .models import Permissions

# The charset is not optional: without it the SDK reads a text as Latin-1.
MARKDOWN = "text/markdown; charset=utf-8"
PLAIN_TEXT = "text/plain; charset=utf-8"

# How the OpenAPI description tells of a download.
FILE_RESPONSES = {(200, "application/octet-stream"): OpenApiTypes.BINARY}


class Gone(APIException):
    status_code = 410
    default_detail = "Asset not available anymore"
    default_code = "gone"


def check_key(key: str) -> None:
    """Raise 400 for what is no UUID; download addresses are made by us or by a client's code."""
    if as_key(key) is None:
        raise ValidationError({"detail": f'key is not a valid UUID: "{key}"'})


def download(
    request: Request,
    permissions: Permissions,
    name: str,
    filename: str,
    content_type: str = "application/octet-stream",
) -> FileResponse:
    """Stream the stored file `name` to a user whose organisation may have it.

    Raises:
        PermissionDenied: the permissions do not allow the user's organisation (403).
        Gone: there is no file any more (410).
    """
    user: Any = request.user
    if not may_download(user, permissions):
        raise PermissionDenied("Unauthorized")
    if not name:
        raise Gone
    response = FileResponse(
        default_storage.open(name),
        as_attachment=True,
        filename=filename,
        content_type=content_type,
    )
    response["Access-Control-Expose-Headers"] = "Content-Disposition"
    response["X-Content-Type-Options"] = "nosniff"
    return response
