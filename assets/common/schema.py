"""The OpenAPI description: which addresses it has, and what it says of each."""

from collections.abc import Iterable
from typing import Any

from drf_spectacular.openapi import AutoSchema

Endpoint = tuple[str, str, str, Any]


def without_dialects(endpoints: Iterable[Endpoint]) -> list[Endpoint]:
    """Leave out what is there again for older SDKs, below a prefix of its own."""
    return [endpoint for endpoint in endpoints if not endpoint[0].startswith("/api/sdk-")]


class Schema(AutoSchema):
    """Describes one operation: only what is read comes in pages and can be filtered."""

    def _get_paginator(self) -> Any:
        return super()._get_paginator() if self.method == "GET" else None

    def get_filter_backends(self) -> Any:
        return super().get_filter_backends() if self.method == "GET" else []
