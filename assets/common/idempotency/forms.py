"""A form that is submitted twice: the second submission is redirected to the first one's result.

Forms and views need nothing for it: every page with a form, the admin's included, has its own CSRF
token.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy

from ..audit import Action, SubjectKind
from ..urls import PAGES
from .keys import attempt_of_form
from .models import IdempotencyKey

API, ADMIN = "/api/", "/admin/"


DONE_ONCE = gettext_lazy("You submitted this form twice. It was processed once, with this result.")
# What is created with a secret that only the first response shows.
SECRETIVE = (SubjectKind.TOKEN, SubjectKind.RUNNER)
TOKEN_MADE = gettext_lazy(
    "You submitted this form twice. The token was created once, and its secret was shown only "
    "then. If you did not copy it, revoke it and create another."
)


class IdempotentForms:
    """Middleware that processes each form of a signed-in user once.

    The second submission may arrive after the first one, or fail beside it for any reason, such as
    a name that the first one has taken. Either way it is redirected to the result of the first.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code >= 400:
            return _redirect_to_result(request) or response
        return response

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponseBase | None:
        # The API has a header for it; see `idempotency.api`.
        if request.path.startswith(API):
            return None
        request.attempt = attempt_of_form(request)  # type: ignore[attr-defined]
        return _redirect_to_result(request)

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseBase | None:
        return _redirect_to_result(request)


def _redirect_to_result(request: HttpRequest) -> HttpResponseBase | None:
    """Return a redirect to the result of the form; None if it was not processed before."""
    attempt = getattr(request, "attempt", None)
    if attempt is None or request.path.startswith(API):
        return None
    # If the database is down, the original response describes the problem better.
    with suppress(DatabaseError):
        if row := attempt.result():
            is_token = row.kind in SECRETIVE and row.action == Action.CREATED
            messages.success(request, TOKEN_MADE if is_token else DONE_ONCE)
            return HttpResponseRedirect(_page_of(row, request.path))
    return None


def _page_of(row: IdempotencyKey, path: str) -> str:
    """Return the URL of the row; of the list if there are several rows, or none any more."""
    pages = PAGES[row.kind]
    subject = row.subjects[0] if len(row.subjects) == 1 else None
    if row.kind == SubjectKind.USER:
        subject = get_user_model().objects.filter(username=subject).values_list("pk", flat=True)
        subject = subject.first()
    is_there = subject is not None and row.action != Action.REMOVED
    if path.startswith(ADMIN):
        name = f"admin:assets_{pages.model}"
        return (
            reverse(f"{name}_change", args=[subject]) if is_there else reverse(f"{name}_changelist")
        )
    return (
        reverse(pages.detail, args=[subject]) if is_there and pages.detail else reverse(pages.list)
    )
