"""Whoever sends everything twice: forms with the token of their page, programs with a key."""

from typing import Any
from uuid import uuid4

from django.test import Client
from rest_framework.test import APIClient

from assets.common.idempotency.keys import PAGE_TOKEN_LENGTH, TOKEN_FIELD
from tests.feed.test_coverage import Stage

TOKEN = {TOKEN_FIELD: "t" * PAGE_TOKEN_LENGTH}


def rewound(data: Any) -> Any:
    """Return what is sent, with its files at their start again."""
    for value in data.values() if isinstance(data, dict) else ():
        for item in value if isinstance(value, list) else [value]:
            if hasattr(item, "seek"):
                item.seek(0)
    return data


class TwiceStage(Stage):
    """The cast of the audit trail's tests; `answers` has both of what is sent last."""

    answers: tuple[Any, Any]

    @property
    def browser(self) -> Client:
        return self._twice(super().browser, lambda data: {**TOKEN, **(data or {})})

    @property
    def api(self) -> APIClient:
        client = super().api
        client.defaults["HTTP_IDEMPOTENCY_KEY"] = str(uuid4())
        return self._twice(client, lambda data: data)

    def _twice(self, client: Any, made: Any) -> Any:
        post = client.post

        def both(path: str, data: Any = None, **options: Any) -> Any:
            first = post(path, rewound(made(data)), **options)
            self.answers = first, post(path, rewound(made(data)), **options)
            return self.answers[1]

        client.post = both
        return client
