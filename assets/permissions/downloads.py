"""The only place where bytes leave. Contract 1.5."""

from typing import Any

from django.db.models import Model
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework.exceptions import APIException, PermissionDenied, ValidationError
from rest_framework.request import Request

from ..common.audit import Action, tell, tell_refusal
from ..common.parsing import as_key
from ..common.serving import hand_over
from ..common.storage import stored_in
from .access import may_download
from .models import Permissions

# The charset is not optional: without it the SDK reads a text as Latin-1.
MARKDOWN = "text/markdown; charset=utf-8"
PLAIN_TEXT = "text/plain; charset=utf-8"

# The whole file, a part of it, or the address where the storage gives it.
HANDED_OVER = (200, 206, 302)


def file_responses(content_type: str = "application/octet-stream") -> dict[Any, Any]:
    """Return how the OpenAPI description tells of a download."""
    return {
        (200, content_type): OpenApiTypes.BINARY,
        (206, content_type): OpenApiTypes.BINARY,
        302: OpenApiResponse(description="The file is at this address for a moment."),
        304: OpenApiResponse(description="The client has the file already: its ETag is the same."),
        410: OpenApiResponse(description="The file is not there any more, or not yet."),
        412: OpenApiResponse(description="The file is not the one that the request is about."),
        416: OpenApiResponse(description="The file has none of the bytes asked for."),
    }


FILE_RESPONSES = file_responses()
MARKDOWN_RESPONSES = file_responses("text/markdown")


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
    asset: Model,
    field: str,
    filename: str,
    content_type: str = "application/octet-stream",
) -> HttpResponseBase:
    """Hand the file in `field` of an asset to a user whose organisation may have it.

    Whatever the request's headers ask for, permission is asked first.

    Raises:
        PermissionDenied: the permissions do not allow the user's organisation (403).
        Gone: there is no file any more, or there is no such field yet (410).
        StorageError: the storage does not answer (503).
    """
    facts: Any = asset  # every asset has a kind and a date
    event = {
        "action": Action.DOWNLOADED,
        "kind": facts.asset_kind,
        "key": facts.pk,
        "name": getattr(asset, "name", ""),
        "detail": {"file": field},
    }
    user: Any = request.user
    if not may_download(user, permissions):
        tell_refusal(**event)
        raise PermissionDenied("Unauthorized")
    stored = stored_in(asset, field)
    if stored is None:
        raise Gone
    response = hand_over(request, stored, facts.creation_date, filename, content_type)
    if request.method == "GET" and response.status_code in HANDED_OVER:
        tell(**event)
    return response
