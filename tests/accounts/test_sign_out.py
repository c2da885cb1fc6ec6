"""Signing out, and reading while signed in, where nothing can be written."""

import contextlib
import time

import pytest
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection

from assets.accounts.pages.sign_in import SESSION_LEFT
from assets.feed.models import Event


class Full(Exception):
    sqlite_errorcode = 13  # SQLITE_FULL


@contextlib.contextmanager
def no_room(*statements: str):
    """Have the database fail for want of space at statements that begin so."""

    def execute(call, sql, params, many, context):
        if sql.startswith(statements):
            raise OperationalError("database or disk is full") from Full()
        return call(sql, params, many, context)

    with connection.execute_wrapper(execute):
        yield


@pytest.mark.parametrize("path", ["/sign-out/", "/admin/logout/", "/api/session/logout/"])
@pytest.mark.parametrize(
    ("statements", "sessions"), [([], 0), (["INSERT"], 0), (["INSERT", "DELETE", "UPDATE"], 1)]
)
def test_signing_out_works_on_a_full_disk(path, statements, sessions, alice, session_of):
    browser = session_of(alice)
    with no_room(*statements) if statements else contextlib.nullcontext():
        answer = browser.post(path, follow=True)
    assert Session.objects.count() == sessions
    assert (SESSION_LEFT.split(".")[0] in answer.content.decode()) == bool(sessions)
    assert (SESSION_LEFT in [str(m) for m in answer.context["messages"]]) == bool(sessions)
    assert browser.get("/datasets/").status_code == 302
    assert Event.objects.filter(action="signed_out").exists() == (not statements)


@pytest.mark.parametrize(("hours", "status"), [(1, 200), (13, 302)])
def test_reading_works_on_a_full_disk(hours, status, alice, session_of, monkeypatch):
    """That a session was used, or has ended, is not written then."""
    browser, now = session_of(alice), time.time()
    browser.get("/datasets/")
    monkeypatch.setattr(time, "time", lambda: now + hours * 3600)
    with no_room("INSERT", "DELETE", "UPDATE"):
        assert browser.get("/datasets/").status_code == status
