"""The OpenAPI schema: its endpoints, and the responses of each."""

from collections.abc import Iterable
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

Endpoint = tuple[str, str, str, Any]


def without_dialects(endpoints: Iterable[Endpoint]) -> list[Endpoint]:
    """Return the endpoints without those of older SDKs, which have their own prefixes."""
    return [endpoint for endpoint in endpoints if not endpoint[0].startswith("/api/sdk-")]


def with_plain_any(result: Any, **kwargs: Any) -> Any:
    """Return the schema without each `oneOf` that has an empty schema among its choices.

    For a nullable value of any type, drf-spectacular writes `oneOf: [{}, {type: null}]`. Null
    matches both, and `oneOf` allows one match only.
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
    """Describes one problem."""

    code = serializers.CharField(help_text="Such as OE0101.")
    field = serializers.CharField(help_text="A path such as `inputs[0].identifier`, or empty.")
    message = serializers.CharField()


class InvalidSerializer(serializers.Serializer):
    """Describes the response to an invalid request.

    If only types are wrong, it has the names of the fields instead, each with a list of messages.
    """

    detail = serializers.CharField(required=False, help_text="What is wrong and what to do.")
    problems = ProblemSerializer(
        many=True, required=False, help_text="All problems; `detail` has the first one."
    )


class ErrorSerializer(InvalidSerializer):
    """Describes any other error response."""

    detail = serializers.CharField(help_text="What is wrong and what to do.")
    key = serializers.CharField(required=False, help_text="Of the asset in conflict.")


# The error responses of any operation, and of those with a request body.
ALWAYS = {
    "400": "The request is not valid.",
    "401": "The credentials are missing or invalid.",
    "403": "The user may not do this.",
    "404": "The asset or the page does not exist.",
    "503": "The database or the storage does not respond. Try again.",
}
WITH_BODY = {
    "409": "An asset with this key exists already.",
    "413": "The body is larger than the server accepts.",
    "415": "The media type of the body is not supported.",
    "507": "The storage is full.",
}
# Of operations with an `Idempotency-Key`.
IDEMPOTENT = {"422": "The `Idempotency-Key` was used for another request."}
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="A text of your choice, such as a UUID, unique for each request. If you send the "
    "request again with the same key within a day, you get the same response, and nothing is done "
    "twice. With the same key and other content, the response is 422.",
)
# Of operations that sign a user in.
SIGNING_IN = {"429": "Too many attempts to sign in failed. Wait."}


class Schema(AutoSchema):
    """Describes one operation; only GET has pages and filters."""

    def _get_paginator(self) -> Any:
        return super()._get_paginator() if self.method == "GET" else None

    def get_filter_backends(self) -> Any:
        return super().get_filter_backends() if self.method == "GET" else []

    def _is_idempotent(self) -> bool:
        handler = getattr(
            self.view, getattr(self.view, "action", None) or self.method.lower(), None
        )
        return hasattr(handler, "takes_idempotency_key")

    def get_override_parameters(self) -> list[Any]:
        """Return the parameters, with the `Idempotency-Key` where it applies."""
        found = super().get_override_parameters()
        return [*found, IDEMPOTENCY_KEY] if self._is_idempotent() else found

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        """Return the responses, with the error responses of the operation."""
        found = super()._get_response_bodies(direction)
        statuses = dict(ALWAYS)
        if self.method in ("POST", "PUT"):
            statuses |= WITH_BODY
        if self._is_idempotent():
            statuses |= IDEMPOTENT
        if not self.get_auth():
            statuses |= SIGNING_IN
        for status, description in statuses.items():
            if status not in found:
                body = InvalidSerializer if status == "400" else ErrorSerializer
                answer = self._get_response_for_code(body, status, ["application/json"])
                found[status] = {**answer, "description": description}
        return found
