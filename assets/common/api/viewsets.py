"""What every API view shares: errors, lookup by key, lists, and where absolute URLs begin."""

import logging
import sys
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.core.exceptions import BadRequest, RequestDataTooBig
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseServerError,
    JsonResponse,
)
from django.shortcuts import get_object_or_404
from django.template.loader import get_template
from django.urls import Resolver404, resolve, reverse
from django.views import defaults
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import MethodNotAllowed, NotFound, Throttled
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler
from rest_framework.viewsets import GenericViewSet

from ..errors import Problem, Refused, TooManyAttempts
from ..ops.logging import request_id
from ..ops.outages import DOWN, OUTAGES, outage_of
from ..parsing import as_key
from ..text.reading import cut
from .query_cache import cached_listing
from .serializers import TextSerializerField

logger = logging.getLogger(__name__)

# Enough to mend a batch; a body of 10,000 problems helps nobody.
MAX_PROBLEMS = 100
# Messages and paths may quote what was sent, which may be megabytes.
MAX_MESSAGE = 2_000


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn `Refused` into the contract's body; leave the rest to DRF."""
    # A page may say more than the contract's body does.
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


def api_root(request: Request) -> str:
    """Return the absolute URL of the API as this client addressed it, without a final slash."""
    namespace = request.resolver_match.namespace
    return request.build_absolute_uri(reverse(f"{namespace}:api-root")).rstrip("/")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django itself refuses: JSON below /api/, a page elsewhere."""
    too_large = isinstance(exception, RequestDataTooBig)
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": str(exception)}, status=413 if too_large else 400)
    # What Django refuses by itself may repeat what was sent; these two are of our own words.
    reason = str(exception) if too_large or isinstance(exception, BadRequest) else ""
    page = get_template("400.html").render({"exception": reason})
    return HttpResponse(page, status=413 if too_large else 400)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an unknown path: JSON below /api/ and to programs, a page elsewhere."""
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
    """Answer an outage (503, 507) or a fault of ours (500): JSON below /api/, a page elsewhere.

    503 says that the same request may succeed in a moment; the SDK then sends it again by itself.
    """
    outage = outage_of(sys.exception())
    detail = outage.text if outage else "The server failed to answer; the fault is logged."
    answer: HttpResponse
    if request.path.startswith("/api/"):
        answer = JsonResponse({"detail": detail, "request_id": request_id()}, status=500)
    else:
        # Without a context of the request's: what it would ask may be what failed.
        context = {"request_id": request_id(), "outage": outage}
        answer = HttpResponseServerError(get_template("500.html").render(context))
    if outage:
        answer.status_code = outage.status
    if outage is DOWN:
        answer["Retry-After"] = "5"
    return answer


class WireSerializer(serializers.Serializer):
    """Builds the response objects of many assets with a constant number of queries.

    The declared fields say what `objects` answers; a test holds the two together. Nothing reads
    them while a request is answered.
    """

    def objects(self, keys: Collection[str]) -> Iterable[dict[str, Any]]:
        """Return the objects of the assets with these keys, in any order; their keys are texts."""
        raise NotImplementedError

    def by_key(self, keys: Collection[str]) -> dict[str, dict[str, Any]]:
        """Return the object of each of the keys; there is none for an unknown one."""
        return {item["key"]: item for item in self.objects(keys)}

    def represent(self, keys: Iterable[UUID]) -> list[dict[str, Any]]:
        """Return the objects of these keys in their order."""
        texts = [str(key) for key in keys]
        found = self.by_key(texts)
        return [found[key] for key in texts if key in found]

    @property
    def base_url(self) -> str:
        """Where the API's absolute URLs begin."""
        return api_root(self.context["request"])


# The body of answers that say no more than that it is done. 204 would break the SDK.
EMPTY = OpenApiTypes.OBJECT


class NameSerializer(serializers.Serializer):
    """The body of an update: the name is all that can change."""

    name = TextSerializerField()


class AssetViewSet(GenericViewSet):
    """Lists, retrieves, creates and renames one kind of asset.

    A kind says how to `create` and, if it can be renamed, how to `rename`.
    """

    lookup_url_kwarg = "key"
    lookup_value_regex = "[^/]+"
    http_method_names = ["get", "post", "put", "head", "options"]
    spec_serializer_class: type[serializers.Serializer]

    @property
    def user(self) -> Any:
        """Who asks: a User, since the permission classes let nobody else in."""
        return self.request.user

    def get_object(self):
        """Return the row with the URL's key; 404 for an unknown key and for what is none."""
        try:
            return get_object_or_404(self.get_queryset(), pk=self._key())
        except Http404 as error:
            raise NotFound(str(error)) from error

    def _key(self) -> UUID:
        key = as_key(self.kwargs["key"])
        if key is None:
            raise NotFound("Not found.")
        return key

    def get_serializer_class(self) -> type[serializers.Serializer]:
        # The browsable pages draw their form from the serializer of what would be sent.
        if self.action == "create" or self.request.method == "POST":
            return self.spec_serializer_class
        if self.request.method == "PUT":
            return NameSerializer
        return self.serializer_class

    def answer(self, keys: Sequence[UUID]) -> list[dict[str, Any]]:
        """Return the wire objects of the assets with these keys."""
        serializer_class: Any = self.serializer_class
        return serializer_class(context=self.get_serializer_context()).represent(keys)

    def answer_created(self, keys: Sequence[str]) -> Response:
        """Answer that the asset with this key is registered."""
        return Response(self.created(keys)[0], status=201)

    def created(self, keys: Sequence[str]) -> list[dict[str, Any]]:
        """Return the wire objects of what is registered now; their keys alone in an outage.

        503 would say that nothing was done, and the SDK would send it all again.
        """
        try:
            return self.answer([UUID(key) for key in keys])
        except OUTAGES as error:
            if outage_of(error) is None:
                raise
            logger.warning("What was registered could not be read again: %s", error)
            return [{"key": key} for key in keys]

    def list(self, request: Request, *args, **kwargs) -> Response:
        return self.answer_list(self.get_queryset())

    def answer_list(self, queryset: QuerySet) -> Response:
        """Answer the page that the request asks for of what its filters keep."""
        listing: Any = cached_listing(
            self.request, lambda: self.filter_queryset(queryset).values("pk")
        )
        rows = self.paginate_queryset(listing)
        return self.get_paginated_response(self.answer([row["pk"] for row in rows]))

    def retrieve(self, request: Request, *args, **kwargs) -> Response:
        found = self.answer([self._key()])
        if not found:
            raise NotFound(f"No {self.queryset.model.__name__} matches the given query.")
        return Response(found[0])

    @extend_schema(request=NameSerializer, responses={200: EMPTY})
    def update(self, request: Request, *args, **kwargs) -> Response:
        """Change the name, which is all that can change."""
        asset = self.get_object()
        self.rename(asset, self.parsed(request)["name"])
        return Response({})

    def rename(self, asset: Any, name: str) -> None:
        raise MethodNotAllowed("PUT")

    def parsed(self, request: Request) -> Any:
        """Return the validated body; 400 with field errors when its types are wrong."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data
