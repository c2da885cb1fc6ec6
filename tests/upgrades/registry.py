"""What tests compare of a registry: its tables, and what it answers."""

import json
import re

from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client

# What no two requests are answered alike: signatures of cursors, and how long something runs.
_PASSING = (
    (re.compile(r"after=[\w-]+"), "after="),
    (
        re.compile(r'("end_date":null.*?)("estimated_end_date":[^,]*,)?"duration":-?\d+'),
        r'\1"duration":0',
    ),
)

Answer = tuple[int, str]


def lasting(status: int, body: str) -> Answer:
    """Return an answer without what differs each time."""
    for pattern, replacement in _PASSING:
        body = pattern.sub(replacement, body)
    return status, body


def values_differ(one: Answer, another: Answer) -> bool:
    """Return whether two answers differ in more than how they spell the same JSON."""
    return one != another and _values(one) != _values(another)


def _values(answer: Answer) -> object:
    status, body = answer
    return (status, json.loads(body)) if body[:1] in ("{", "[") else answer


class Reader:
    """The user of whose requests answers were recorded."""

    def __init__(self) -> None:
        self.client = Client(HTTP_ACCEPT="application/json;version=0.0")
        self.client.force_login(get_user_model().objects.get(username="curie-admin"))

    def __call__(self, path: str) -> Answer:
        answer = self.client.get(path)
        # Files are bytes of any encoding.
        return lasting(answer.status_code, b"".join(answer).decode("latin-1"))


def schema() -> dict[str, object]:
    """Return the columns, constraints and indexes of each table, and the triggers."""
    introspection, found = connection.introspection, {}
    with connection.cursor() as cursor:
        for table in introspection.table_names(cursor):
            found[table] = (
                sorted(introspection.get_table_description(cursor, table)),
                introspection.get_constraints(cursor, table),
            )
    return found
