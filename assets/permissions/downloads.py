"""Downloads: the only place that sends files, after checking permissions. Contract 1.5."""

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
from ..common.text.reading import read_end, read_text
from .access import may_download, why_not_download
from .models import Permissions

# Without the charset the SDK would read texts as Latin-1.
MARKDOWN = "text/markdown; charset=utf-8"
PLAIN_TEXT = "text/plain; charset=utf-8"

# The whole file, a range of it, or a redirect to the storage.
SENT_STATUSES = (200, 206, 302)


def file_responses(content_type: str = "application/octet-stream") -> dict[Any, Any]:
    """Return the responses of a download for the OpenAPI schema."""
    return {
        (200, content_type): OpenApiTypes.BINARY,
        (206, content_type): OpenApiTypes.BINARY,
        302: OpenApiResponse(description="The file is at this address for a short time."),
        304: OpenApiResponse(description="The client has this file already (same ETag)."),
        410: OpenApiResponse(description="The file does not exist any more, or not yet."),
        412: OpenApiResponse(description="The file has another ETag or date than required."),
        416: OpenApiResponse(description="The file has none of the requested bytes."),
    }


FILE_RESPONSES = file_responses()
MARKDOWN_RESPONSES = file_responses("text/markdown")


class NotPermitted(PermissionDenied):
    """Answers programs as the contract requires; pages also show `why`."""

    def __init__(self, why: str) -> None:
        super().__init__("Unauthorized")
        self.why = why


class Gone(APIException):
    status_code = 410
    default_detail = "Asset not available anymore"
    default_code = "gone"


def check_key(key: str) -> None:
    """Raise ValidationError (400) if the key is no UUID."""
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
    """Return the response with the file in `field` of an asset, and log the download.

    Permissions are checked before the request's headers.

    Raises:
        NotPermitted: the permissions do not allow the user's organisation (403).
        Gone: the file does not exist any more, or not yet (410).
        StorageError: the storage does not respond (503).
    """
    facts: Any = asset  # every asset has an owner
    user: Any = request.user
    if not may_download(user, permissions):
        log_refusal(**_event(Action.DOWNLOADED, asset, {"file": field}))
        raise NotPermitted(why_not_download(user, permissions, facts.owner_id))
    return send_file(request, asset, field, filename, content_type)


def send_file(
    request: Request,
    asset: Model,
    field: str,
    filename: str,
    content_type: str = "application/octet-stream",
) -> HttpResponseBase:
    """Return the response with the file in `field` of an asset, and log the download.

    The caller has checked that the request may have it.

    Raises:
        Gone: the file does not exist any more, or not yet (410).
        StorageError: the storage does not respond (503).
    """
    facts: Any = asset  # every asset has a kind and a date
    event = _event(Action.DOWNLOADED, asset, {"file": field})
    stored = stored_in(asset, field)
    if stored is None:
        raise Gone
    response = file_response(request, stored, facts.creation_date, filename, content_type)
    if request.method == "GET" and response.status_code in SENT_STATUSES:
        try:
            log_event(**event, once=ONCE if "HTTP_RANGE" in request.META else None)
        except BaseException:
            # A download that is not logged is not sent, so the response never closes the file.
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
    """Return the text in `field` of an asset for a page, and log the view.

    None if the user may not download it, or if it is missing or not text.
    """
    user: Any = request.user
    if not may_download(user, permissions):
        return None
    text = read_text(getattr(asset, field).name)
    if text is not None:
        record_view(request, asset, file=field)
    return text


def shown_end(request: HttpRequest, permissions: Permissions, asset: Any, field: str) -> str | None:
    """Return the end of the text in `field` of an asset for a page, and log the view.

    None if the user may not download it, or if it is missing.
    """
    user: Any = request.user
    stored = getattr(asset, field).name
    if not stored or not may_download(user, permissions):
        return None
    text = read_end(stored, getattr(asset, f"{field}_size"))
    if text is not None:
        record_view(request, asset, file=field)
    return text


def record_view(request: HttpRequest, asset: Any, **what: str) -> None:
    """Log that a page shows a file's contents to another organisation."""
    user: Any = request.user
    if request.method != "HEAD" and not acts_for(user, asset.owner_id):
        log_event(**_event(Action.VIEWED, asset, what), once=ONCE)
