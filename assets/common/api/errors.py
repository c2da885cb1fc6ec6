"""Error responses: rules that are broken, requests that Django refuses, and outages."""

import sys
from contextlib import suppress
from dataclasses import replace
from typing import Any

from django.core.exceptions import BadRequest, RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseServerError, JsonResponse
from django.template.loader import get_template
from django.urls import Resolver404, resolve
from django.views import defaults
from rest_framework.exceptions import Throttled
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from ..errors import Problem, Refused, TooManyAttempts
from ..ops.logging import request_id
from ..ops.outages import DOWN, outage_of
from ..text.reading import cut

# Of a batch with more problems, the first ones are enough to start with.
MAX_PROBLEMS = 100
# Characters of a message and a path: they quote the request, which can have megabytes.
MAX_MESSAGE = 2_000


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the contract's body for `Refused`, and DRF's response for any other exception."""
    # `FileRenderer` shows more of the exception than the contract's body has.
    context["view"].refusal = error
    if isinstance(error, TooManyAttempts):
        error = Throttled(wait=error.wait.total_seconds())
    if not isinstance(error, Refused):
        return drf_exception_handler(error, context)
    problems = [_shortened(problem) for problem in error.problems[:MAX_PROBLEMS]]
    body: dict[str, Any] = {"detail": problems[0].text}
    if error.first.key:
        body["key"] = error.first.key
    body["problems"] = [_problem_body(problem) for problem in problems]
    return Response(body, status=error.status)


def _shortened(problem: Problem) -> Problem:
    if len(problem.message) + len(problem.field) <= MAX_MESSAGE:
        return problem
    message, field = cut(problem.message, MAX_MESSAGE), cut(problem.field, MAX_MESSAGE)
    return replace(problem, message=message, field=field)


def _problem_body(problem: Problem) -> dict[str, str]:
    return {"code": problem.code.label, "field": problem.field, "message": problem.message}


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return Django's own refusal of a request: JSON below /api/, a page elsewhere."""
    too_large = isinstance(exception, RequestDataTooBig)
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": str(exception)}, status=413 if too_large else 400)
    # Texts of Django's other exceptions can repeat what was sent; the texts of these two are ours.
    reason = str(exception) if too_large or isinstance(exception, BadRequest) else ""
    page = get_template("400.html").render({"exception": reason})
    return HttpResponse(page, status=413 if too_large else 400)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return the 404 of an unknown path: JSON below /api/ and for programs, a page elsewhere."""
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": "Not found."}, status=404)
    accepted = request.headers.get("Accept", "")
    if "application/json" not in accepted or "text/html" in accepted:
        return defaults.page_not_found(request, exception)
    detail = "Not found."
    with suppress(Resolver404):
        resolve(f"/api{request.path_info}")
        base = request.build_absolute_uri("/api")
        detail = f"Not found. The API is below /api: give your client the base URL {base}"
    return JsonResponse({"detail": detail}, status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Return the response of an outage (503, 507) or a bug (500): JSON below /api/, else a page.

    The SDK repeats a request that is answered 503, which may succeed in a moment.
    """
    outage = outage_of(sys.exception())
    detail = outage.text if outage else "The server failed to answer; the fault is logged."
    answer: HttpResponse
    if request.path.startswith("/api/"):
        answer = JsonResponse({"detail": detail, "request_id": request_id()}, status=500)
    else:
        # Without the request's context processors: they may ask for what has just failed.
        context = {"request_id": request_id(), "outage": outage}
        answer = HttpResponseServerError(get_template("500.html").render(context))
    if outage:
        answer.status_code = outage.status
    if outage is DOWN:
        answer["Retry-After"] = "5"
    return answer
