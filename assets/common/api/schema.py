"""The OpenAPI description: which addresses it has, and what it says of each."""

from collections.abc import Iterable
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

Endpoint = tuple[str, str, str, Any]


def without_dialects(endpoints: Iterable[Endpoint]) -> list[Endpoint]:
    """Leave out what is there again for older SDKs, below a prefix of its own."""
    return [endpoint for endpoint in endpoints if not endpoint[0].startswith("/api/sdk-")]


def with_plain_any(result: Any, **kwargs: Any) -> Any:
    """Return the description with each choice that has "anything" in it replaced by "anything".

    For a nullable value of any type the generator writes `oneOf: [{}, {type: null}]`. Null fits
    both of these, so that `oneOf`, which takes one fit only, refuses it.
    """
    if isinstance(result, list):
        return [with_plain_any(item) for item in result]
    if not isinstance(result, dict):
        return result
    takes_anything = isinstance(result.get("oneOf"), list) and {} in result["oneOf"]
    return {
        name: with_plain_any(item)
        for name, item in result.items()
        if not (takes_anything and name == "oneOf")
    }


class ProblemSerializer(serializers.Serializer):
    """Documents one thing that is wrong."""

    code = serializers.CharField(help_text="Such as OE0101.")
    field = serializers.CharField(help_text="A path such as `inputs[0].identifier`, or empty.")
    message = serializers.CharField()


class InvalidSerializer(serializers.Serializer):
    """Documents what is answered to a request that is not valid.

    Where only types are wrong, the answer has the fields themselves, each with a list of texts.
    """

    detail = serializers.CharField(required=False, help_text="A sentence for people.")
    problems = ProblemSerializer(
        many=True, required=False, help_text="All that was found; `detail` tells the first."
    )


class ErrorSerializer(InvalidSerializer):
    """Documents any other answer that refuses."""

    detail = serializers.CharField(help_text="A sentence for people.")
    key = serializers.CharField(required=False, help_text="Of the asset that stands in the way.")


# What any operation may answer, and what those with a body or a file may.
ALWAYS = {
    "400": "The request is not valid.",
    "401": "Nobody is known by these credentials, or there are none.",
    "403": "The user may not do this.",
    "404": "There is no such thing, or no such page.",
    "503": "The database or the storage does not answer now; try again.",
}
WITH_BODY = {
    "409": "Something else has this key.",
    "413": "The body is larger than the server takes.",
    "415": "The body is of a media type that is not read here.",
    "507": "The storage is full.",
}
# Of what takes an `Idempotency-Key`.
REPEATABLE = {"422": "The `Idempotency-Key` was used for another request."}
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="A text of your choice, such as a UUID, new for each request. Sent again with the "
    "same content within a day, the request is answered as before and nothing is done twice; with "
    "other content it is refused by 422.",
)
# Where somebody signs in: by a user's name and password.
SIGNING_IN = {"429": "Signing in failed too often; wait."}


class Schema(AutoSchema):
    """Describes one operation: only what is read comes in pages and can be filtered."""

    def _get_paginator(self) -> Any:
        return super()._get_paginator() if self.method == "GET" else None

    def get_filter_backends(self) -> Any:
        return super().get_filter_backends() if self.method == "GET" else []

    def _is_repeatable(self) -> bool:
        handler = getattr(
            self.view, getattr(self.view, "action", None) or self.method.lower(), None
        )
        return hasattr(handler, "takes_idempotency_key")

    def get_override_parameters(self) -> list[Any]:
        """Add the header of what may be sent again."""
        found = super().get_override_parameters()
        return [*found, IDEMPOTENCY_KEY] if self._is_repeatable() else found

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        """Add how each operation refuses to what it answers."""
        found = super()._get_response_bodies(direction)
        statuses = dict(ALWAYS)
        if self.method in ("POST", "PUT"):
            statuses |= WITH_BODY
        if self._is_repeatable():
            statuses |= REPEATABLE
        if not self.get_auth():
            statuses |= SIGNING_IN
        for status, description in statuses.items():
            if status not in found:
                told = InvalidSerializer if status == "400" else ErrorSerializer
                answer = self._get_response_for_code(told, status, ["application/json"])
                found[status] = {**answer, "description": description}
        return found
