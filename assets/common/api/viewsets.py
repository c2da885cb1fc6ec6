"""The base class of the API's views: lookup by key, lists, and the objects of responses."""

import logging
from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import MethodNotAllowed, NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from ..db.pagination import Listing
from ..ops.outages import OUTAGES, outage_of
from ..parsing import as_key
from .query_cache import cached_listing
from .serializers import NameSerializer, WireSerializer

logger = logging.getLogger(__name__)

# The schema of an empty object: the SDK cannot read a 204.
EMPTY = OpenApiTypes.OBJECT


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
        """The User of the request: the permission classes refuse anonymous requests."""
        return self.request.user

    def get_object(self):
        """Return the row with the URL's key. Raises: NotFound if there is none."""
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
        # The browsable pages render their form from the serializer of the request body.
        if self.action == "create" or self.request.method == "POST":
            return self.spec_serializer_class
        if self.request.method == "PUT":
            return NameSerializer
        return self.serializer_class

    def answer(self, keys: Sequence[UUID]) -> list[dict[str, Any]]:
        """Return the response objects of the assets with these keys, in this order."""
        return self._wire.represent(keys)

    @property
    def _wire(self) -> WireSerializer:
        serializer_class: Any = self.serializer_class
        return serializer_class(context=self.get_serializer_context())

    def answer_created(self, keys: Sequence[str]) -> Response:
        """Return the response (201) with the asset that was just registered."""
        return Response(self.created(keys)[0], status=201)

    def created(self, keys: Sequence[str]) -> list[dict[str, Any]]:
        """Return the objects of assets that were just registered; in an outage, only their keys.

        A 503 would mean that nothing was registered, and the SDK would repeat the request.
        """
        try:
            return self.answer([UUID(key) for key in keys])
        except OUTAGES as error:
            if outage_of(error) is None:
                raise
            logger.warning("Registered assets could not be read for the response: %s", error)
            return [{"key": key} for key in keys]

    def list(self, request: Request, *args, **kwargs) -> Response:
        return self.answer_list(self.get_queryset())

    def answer_list(self, queryset: QuerySet) -> Response:
        """Return the requested page of the rows that match the request's filters."""
        wire = self._wire
        listing: Any = cached_listing(
            self.request,
            lambda: Listing(self.filter_queryset(queryset).values("pk"), wire.rows),
        )
        return self.get_paginated_response(wire.page(self.paginate_queryset(listing)))

    def retrieve(self, request: Request, *args, **kwargs) -> Response:
        found = self.answer([self._key()])
        if not found:
            raise NotFound(f"No {self.queryset.model.__name__} matches the given query.")
        return Response(found[0])

    @extend_schema(request=NameSerializer, responses={200: EMPTY})
    def update(self, request: Request, *args, **kwargs) -> Response:
        """Rename the asset: only the name can change."""
        asset = self.get_object()
        self.rename(asset, self.parsed(request.data)["name"])
        return Response({})

    def rename(self, asset: Any, name: str) -> None:
        raise MethodNotAllowed("PUT")

    def parsed(self, data: Any) -> Any:
        """Return a validated body. Raises: ValidationError, by field, if types are wrong."""
        return _reader(self.get_serializer_class()).run_validation({} if data is None else data)


@cache
def _reader(serializer_class: type[serializers.Serializer]) -> serializers.Serializer:
    """Return a serializer for any number of bodies: making its fields takes longer than reading."""
    return serializer_class()
