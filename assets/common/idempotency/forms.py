"""A form that arrives twice: the second is led to what the first has done.

No form or view takes part: every page with a form, the admin's included, has a token of its own.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse

from ..audit import Action, SubjectKind
from ..kinds import AssetKind
from .keys import attempt_of_form
from .models import IdempotencyKey

API, ADMIN = "/api/", "/admin/"


class Pages(NamedTuple):
    """The pages of a kind: of one, of all, and what the admin calls it."""

    one: str
    all: str
    in_admin: str


PAGES: dict[str, Pages] = {
    AssetKind.DATA_MANAGER: Pages("dataset", "datasets", "dataset"),
    AssetKind.DATA_SAMPLE: Pages("data-sample", "data-samples", "datasample"),
    AssetKind.FUNCTION: Pages("function", "functions", "function"),
    AssetKind.COMPUTE_PLAN: Pages("compute-plan", "compute-plans", "computeplan"),
    AssetKind.COMPUTE_TASK: Pages("task", "tasks", "task"),
    AssetKind.ORGANIZATION: Pages("organization", "organizations", "organization"),
    SubjectKind.USER: Pages("user", "users", "user"),
    # A token has no page but its user's.
    SubjectKind.TOKEN: Pages("", "account", "apitoken"),
}
DONE_ONCE = "Your form arrived twice and was carried out once. This is what it did."
TOKEN_MADE = "This token was made already, and shown that once. Lost it? Revoke it."  # noqa: S105


class Repeats:
    """Middleware: a form that a signed-in user sends is carried out once.

    The second may come when the first is done, or fail beside it in any way, such as by a file that
    the first has taken already. Either way it finds what the first has done.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code >= 400:
            return _redirect_to_result(request) or response
        return response

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponseBase | None:
        # The API reads its bodies itself, and knows keys by a header (`common.repeatable`).
        if request.path.startswith(API):
            return None
        request.attempt = attempt_of_form(request)  # type: ignore[attr-defined]
        return _redirect_to_result(request)

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseBase | None:
        return _redirect_to_result(request)


def _redirect_to_result(request: HttpRequest) -> HttpResponseBase | None:
    """Return a redirect to what the form has done; None if it has done nothing."""
    attempt = getattr(request, "attempt", None)
    if attempt is None or request.path.startswith(API):
        return None
    # When the database is down, what failed says so better.
    with suppress(DatabaseError):
        if row := attempt.done():
            is_token = (row.kind, row.action) == (SubjectKind.TOKEN, Action.CREATED)
            messages.success(request, TOKEN_MADE if is_token else DONE_ONCE)
            return HttpResponseRedirect(_page_of(row, request.path))
    return None


def _page_of(row: IdempotencyKey, path: str) -> str:
    """Return where it is shown: on the page of one, on the list of several or of what is gone."""
    pages = PAGES[row.kind]
    subject = row.subjects[0] if len(row.subjects) == 1 else None
    if row.kind == SubjectKind.USER:
        subject = get_user_model().objects.filter(username=subject).values_list("pk", flat=True)
        subject = subject.first()
    is_there = subject is not None and row.action != Action.REMOVED
    if path.startswith(ADMIN):
        name = f"admin:assets_{pages.in_admin}"
        return (
            reverse(f"{name}_change", args=[subject]) if is_there else reverse(f"{name}_changelist")
        )
    return reverse(pages.one, args=[subject]) if is_there and pages.one else reverse(pages.all)
