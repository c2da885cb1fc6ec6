"""The only place where bytes leave. Contract 1.5."""

from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework.exceptions import APIException, PermissionDenied, ValidationError
from rest_framework.request import Request

from ..accounts.rules import acts_for
from ..common.audit import ONCE, Action, log_event, log_refusal
from ..common.files.downloads import file_response
from ..common.files.storage import stored_in
from ..common.parsing import as_key
from ..common.text.reading import read_text
from .access import may_download, why_not_download
from .models import Permissions

# The charset is not optional: without it the SDK reads a text as Latin-1.
MARKDOWN = "text/markdown; charset=utf-8"
PLAIN_TEXT = "text/plain; charset=utf-8"

# The whole file, a part of it, or the address where the storage gives it.
SENT_STATUSES = (200, 206, 302)


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


class NotPermitted(PermissionDenied):
    """Says no more to programs than the contract does; a page says `why`."""

    def __init__(self, why: str) -> None:
        super().__init__("Unauthorized")
        self.why = why


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
        NotPermitted: the permissions do not allow the user's organisation (403).
        Gone: there is no file any more, or there is no such field yet (410).
        StorageError: the storage does not answer (503).
    """
    facts: Any = asset  # every asset has a kind and a date
    event = _event(Action.DOWNLOADED, asset, {"file": field})
    user: Any = request.user
    if not may_download(user, permissions):
        log_refusal(**event)
        raise NotPermitted(why_not_download(user, permissions, facts.owner_id))
    stored = stored_in(asset, field)
    if stored is None:
        raise Gone
    response = file_response(request, stored, facts.creation_date, filename, content_type)
    if request.method == "GET" and response.status_code in SENT_STATUSES:
        try:
            log_event(**event, once=ONCE if "HTTP_RANGE" in request.META else None)
        except BaseException:
            # Nothing is sent unrecorded, so the response never closes it.
            if file := getattr(response, "file_to_stream", None):
                file.close()
            raise
    return response


def _event(action: Action, asset: Any, detail: dict[str, str]) -> dict[str, Any]:
    return {
        "action": action,
        "kind": asset.asset_kind,
        "key": asset.pk,
        "name": getattr(asset, "name", ""),
        "detail": detail,
    }


def shown_text(
    request: HttpRequest, permissions: Permissions, asset: Any, field: str
) -> str | None:
    """Return the text in `field` of an asset for a page; None where its user may not have it.

    None as well for what is no text, or is not there. See `record_view`.
    """
    user: Any = request.user
    if not may_download(user, permissions):
        return None
    text = read_text(getattr(asset, field).name)
    if text is not None:
        record_view(request, asset, file=field)
    return text


def record_view(request: HttpRequest, asset: Any, **what: str) -> None:
    """Record that a page shows what a file holds, if it shows it to another organisation."""
    user: Any = request.user
    if request.method != "HEAD" and not acts_for(user, asset.owner_id):
        log_event(**_event(Action.VIEWED, asset, what), once=ONCE)
