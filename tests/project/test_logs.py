"""The log: every line knows its request, and none knows a secret."""

import io
import json
import logging
import re
from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import path
from django.utils import timezone
from rest_framework.test import APIClient

from assets.accounts.registration.tokens import create_token
from assets.common.ops.logging import JSONFormatter, RequestLog, TextFormatter
from tests.builders import dataset_spec, wire_dataset
from tests.cast import PASSWORD

TEXT = "%(levelname)s %(name)s [%(request_id)s]: %(message)s"


@pytest.fixture(params=["text", "json"])
def log(request, monkeypatch):
    """All that is logged, down to what is only for debugging, in both forms."""
    # A linter that another test runs in this process switches off the loggers that it finds.
    for logger in logging.root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            monkeypatch.setattr(logger, "disabled", False)
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(TextFormatter(TEXT) if request.param == "text" else JSONFormatter())
    root, access = logging.getLogger(), logging.getLogger("registrar.access")
    levels = root.level, access.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    access.setLevel(logging.INFO)
    stream.form = request.param
    yield stream
    root.removeHandler(handler)
    root.setLevel(levels[0])
    access.setLevel(levels[1])


@pytest.fixture
def lines(log):
    """What was logged, a dict a line; in text, the id and the message only."""

    def read() -> list[dict]:
        logged = log.getvalue().splitlines()
        if log.form == "json":
            return [json.loads(line) for line in logged]
        found = [re.search(r"^(\w+) (\S+) \[(\S+)\]: (.*)", line) for line in logged]
        names = ("level", "logger", "request_id", "message")
        return [dict(zip(names, match.groups(), strict=True)) for match in found if match]

    return read


def of_access(lines) -> list[dict]:
    return [line for line in lines() if line["logger"] == "registrar.access"]


def test_each_request_has_one_line_and_an_id_of_its_own(lines, alice, client_of):
    api = client_of(alice)
    answers = [api.get("/api/task/?match=thing"), api.get("/api/task/nothing/")]

    logged = of_access(lines)
    assert [line["request_id"] for line in logged] == [answer["X-Request-ID"] for answer in answers]
    assert len({answer["X-Request-ID"] for answer in answers}) == 2
    assert logged[0]["message"].startswith("GET /api/task/ 200 ")
    assert f"user={alice.pk} organization=MyOrg1MSP" in logged[0]["message"]
    assert "thing" not in logged[0]["message"]
    if "path" in logged[0]:
        assert logged[1]["path"] == "/api/task/nothing/"
        assert (logged[1]["status"], logged[1]["method"]) == (404, "GET")
        assert logged[1]["organization"] == "MyOrg1MSP"
        assert logged[1]["duration_ms"] > 0
    # What Django says of it, too.
    assert {line["request_id"] for line in lines() if "Not Found" in line["message"]} == {
        answers[1]["X-Request-ID"]
    }


def test_the_line_asks_the_database_for_no_one(log, alice, session_of, django_assert_num_queries):
    browser = session_of(alice)
    with django_assert_num_queries(0):
        assert browser.get("/livez").status_code == 200
    assert "user=None" in log.getvalue() or '"user":null' in log.getvalue()


@pytest.mark.parametrize(
    ("trusting", "given", "believed"),
    [
        (True, "0af7651916cd43dd8448eb211c80319c", True),
        (True, "edge-42.Frankfurt_7", True),
        (True, "short", False),
        (True, "x" * 65, False),
        (True, 'abcdefgh"} {"level": "INFO"', False),
        (True, "abcdefgh\nINFO root: all is well", False),
        (False, "0af7651916cd43dd8448eb211c80319c", False),
    ],
)
def test_only_a_proxy_names_a_request(trusting, given, believed, settings, rf):
    settings.BEHIND_PROXY = trusting
    answer = RequestLog(lambda request: HttpResponse())(rf.get("/", HTTP_X_REQUEST_ID=given))
    assert (answer["X-Request-ID"] == given) is believed
    assert re.fullmatch(r"[\w.-]{8,64}", answer["X-Request-ID"])


def test_no_one_writes_lines_of_his_own(log, lines, db):
    Client().get("/nowhere/%0AINFO%20root%20[-]:%20all%20is%20well%0D%0A/")
    assert not [line for line in lines() if line["logger"] == "root"]
    assert not any(line.startswith("INFO root") for line in log.getvalue().splitlines())


@pytest.mark.parametrize("mark", ["\n", "\r", "\u2028", "\x1b[2K", "\u202e"])
def test_no_error_begins_a_line_or_steers_a_terminal(mark, log):
    """Errors quote what was sent, in their tracebacks too."""
    try:
        raise ValueError(f"not a name: a{mark}INFO root [-]: b")
    except ValueError as error:
        logging.getLogger("x").exception("Refused: %s", error)
    first, *others = log.getvalue().removesuffix("\n").split("\n")
    if log.form == "json":
        assert others == []
    else:
        assert others
        assert all(line.startswith("    ") for line in others)
        assert mark not in "".join([first, *others])


# --- Faults --------------------------------------------------------------------------------------


def fail(request):
    raise RuntimeError("the fault of this test")


urlpatterns = [path("api/fault/", fail), path("fault/", fail)]
handler500 = "assets.common.api.errors.server_error"


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("where", ["/api/fault/", "/fault/"])
def test_a_fault_of_ours_is_shown_with_its_traceback_and_number(where, log, lines):
    client = Client(raise_request_exception=False)
    answer = client.get(where)

    id = answer["X-Request-ID"]
    assert answer.status_code == 500
    assert id in answer.content.decode()
    assert b"the fault of this test" not in answer.content
    if where.startswith("/api/"):
        assert answer.json()["request_id"] == id
    logged = [line for line in lines() if line["request_id"] == id and line["level"] == "ERROR"]
    assert len(logged) == 1
    assert "RuntimeError: the fault of this test" in log.getvalue()
    if log.form == "json":
        assert "Traceback" in logged[0]["traceback"]
        assert "line" in logged[0]["traceback"]


# --- No secrets ----------------------------------------------------------------------------------


def test_no_interface_logs_a_secret(log, alice, ada, client_of, session_of):
    """Signing in well and badly, tokens made and wrong, links for passwords, queries with codes."""
    secrets = [PASSWORD, "wrong-horse-battery", "a-new-long-password-77", "code-of-the-provider"]
    browser = Client(raise_request_exception=False)
    browser.post("/sign-in/", {"username": "alice", "password": secrets[1]})
    browser.post(
        f"/sign-in/?next=/cb?code={secrets[3]}", {"username": "alice", "password": PASSWORD}
    )
    secrets.append(browser.cookies["sessionid"].value)
    browser.get("/account/")
    anonymous = APIClient(raise_request_exception=False)
    body = {"username": "alice", "password": PASSWORD}
    answer = anonymous.post("/api/api-token-auth/", body, format="json")
    secrets.append(answer.json()["token"])
    anonymous.post("/api/api-token-auth/", {**body, "password": secrets[1]}, format="json")
    _, token = create_token(alice, expires_at=timezone.now() + timedelta(hours=1))
    secrets.append(token)
    for header in (f"Token {token}", f"Token {token} x", f"Bearer {token}", token):
        anonymous.get(f"/api/task/?token={token}", HTTP_AUTHORIZATION=header)
        anonymous.get(f"/api/task/{token}/", HTTP_AUTHORIZATION=header)
    link = f"/set-password/MQ/d7f9zk-{'0123456789abcdef' * 2}/"
    secrets.append(link.split("/")[-2])
    browser.get(link)
    browser.get(link.replace("/set-password/", "/nowhere/"))
    session_of(ada).post("/account/password/", {"new_password": secrets[2]})
    client_of(alice).post("/api/data_manager/", wire_dataset(dataset_spec()))
    browser.get("/nowhere/", HTTP_HOST="evil.example", HTTP_COOKIE=f"sessionid={secrets[4]}")

    logged = log.getvalue()
    assert logged.count("registrar.access") > 15
    assert "[secret]" in logged
    assert not [secret for secret in secrets if secret in logged]
