"""How many statements a request sends, authentication and answer included."""

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext


def count_statements(path: str, token: str, body: bytes = b"", kind: str = "") -> int:
    """Ask in this process, by GET or with a body by POST; return the number of statements.

    BEGIN, COMMIT and savepoints are not counted.
    """
    client = Client(headers={"authorization": f"Token {token}"}, SERVER_NAME="localhost")
    with CaptureQueriesContext(connection) as queries:
        answer = client.post(path, body, content_type=kind) if body else client.get(path)
    assert answer.status_code in (200, 201), answer.content[:500]
    control = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")
    return len([query for query in queries if not query["sql"].startswith(control)])
