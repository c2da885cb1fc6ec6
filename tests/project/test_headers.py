"""The headers that every answer has, whatever it is and whoever asks."""

from typing import NamedTuple

import pytest
from django.test import Client

from tests.builders import OPENER, make_dataset

HTML, JSON = "text/html,*/*;q=0.8", "application/json"


class Asked(NamedTuple):
    """A request and the status of its answer; without a user, it is not signed in."""

    path: str
    status: int
    user: str = "alice"
    accept: str = HTML
    method: str = "GET"
    host: str = "testserver"


ANSWERS = {
    "page": Asked("/datasets/", 200),
    "form": Asked("/datasets/new/", 200),
    "page that signs in": Asked("/sign-in/", 200, ""),
    "page of an asset": Asked("/datasets/{key}/", 200),
    "export": Asked("/datasets/?export=csv", 200),
    "admin": Asked("/admin/", 200, "root"),
    "admin that signs in": Asked("/admin/login/", 200, ""),
    "API": Asked("/api/data_manager/", 200, accept=JSON),
    "browsable page": Asked("/api/data_manager/", 200),
    "browsable page, signed out": Asked("/api/data_manager/", 401, ""),
    "documentation": Asked("/api/docs/", 200, ""),
    "script of the documentation": Asked("/api/docs/?script", 200, "", "*/*"),
    "schema": Asked("/api/schema/?format=json", 200, ""),
    "download": Asked("/api/data_manager/{key}/opener/", 200, accept="*/*"),
    "static file": Asked("/static/registrar/app.css", 200, ""),
    "wrong host": Asked("/datasets/", 400, host="evil.example"),
    "400 of the API": Asked("/api/compute_plan/?status=x", 400, accept=JSON),
    "401 of the API": Asked("/api/data_manager/", 401, "", JSON),
    "403 without the form's token": Asked("/datasets/new/", 403, method="POST"),
    "403 of the API": Asked("/api/data_manager/", 403, "root", JSON),
    "404": Asked("/nowhere/", 404),
    "404 of the API": Asked("/api/nowhere/", 404, accept=JSON),
    "405 of the API": Asked("/api/task/bulk_create/", 405, accept=JSON),
    "500": Asked("/broken/", 500, ""),
    "redirect to sign in": Asked("/datasets/", 302, ""),
    "redirect for a slash": Asked("/datasets", 301),
    "/livez": Asked("/livez", 200, ""),
    "/readyz": Asked("/readyz", 200, ""),
}
# Which of them are the same for everybody, and may be kept.
PUBLIC = {"static file"}


@pytest.fixture
def world(alice, root):
    return {"alice": alice, "root": root}


@pytest.fixture
def answer(world, settings, monkeypatch):
    """Yield what answers a request of the table above, over HTTPS or not."""
    settings.WHITENOISE_USE_FINDERS = settings.WHITENOISE_AUTOREFRESH = True
    settings.ALLOWED_HOSTS = ["testserver"]
    key = make_dataset(world["alice"]).key

    def fail(*args, **kwargs):
        raise RuntimeError("broken")

    def ask(asked: Asked, **options):
        client = Client(
            enforce_csrf_checks=True,
            raise_request_exception=False,
            headers={"accept": asked.accept, "host": asked.host},
        )
        if asked.user:
            client.force_login(world[asked.user])
        path = asked.path.format(key=key)
        if asked.status == 500:
            path = "/sign-in/"
            monkeypatch.setattr("assets.accounts.pages.sign_in.SignInPage.dispatch", fail)
        answered.append(client.generic(asked.method, path, **options))
        return answered[-1]

    answered = []
    yield ask
    for response in answered:
        response.close()


def policy_of(response) -> dict[str, set[str]]:
    directives = response["Content-Security-Policy"].split(";")
    return {name: set(values) for name, *values in map(str.split, directives)}


@pytest.mark.parametrize("name", ANSWERS)
def test_every_answer(name, answer):
    asked = ANSWERS[name]
    response = answer(asked)
    assert response.status_code == asked.status

    policy = policy_of(response)
    assert "unsafe" not in response["Content-Security-Policy"]
    for none in ("default-src", "frame-ancestors", "base-uri"):
        assert policy[none] == {"'none'"}
    for ours in ("script-src", "style-src", "connect-src", "form-action"):
        assert policy[ours] == {"'self'"}
    assert not policy.keys() & {"worker-src", "object-src", "report-uri", "report-to"}

    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in response["Permissions-Policy"]
    for gossip in ("Server", "X-Powered-By", "Strict-Transport-Security", "Reporting-Endpoints"):
        assert gossip not in response.headers
    kept = response["Cache-Control"]
    assert ("private" in kept) != (name in PUBLIC)
    assert "no-store" in kept or name in PUBLIC or name == "download"


@pytest.mark.parametrize("name", ["page", "API", "download", "static file", "500", "/livez"])
def test_https_is_kept_to(name, answer, settings):
    settings.SECURE_HSTS_SECONDS = 31536000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    assert answer(ANSWERS[name], secure=True)["Strict-Transport-Security"].startswith("max-age=3")


def test_the_redirect_to_https_has_them_too(answer, settings):
    settings.SECURE_SSL_REDIRECT = True
    response = answer(ANSWERS["page"])
    assert response["Location"] == "https://testserver/datasets/"
    assert policy_of(response)["style-src"] == {"'self'"}
    assert response["X-Frame-Options"] == "DENY"


def test_a_download_is_an_attachment_of_its_own_type(answer):
    response = answer(ANSWERS["download"])
    assert b"".join(response) == OPENER
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"].startswith("attachment; filename=")


def test_an_export_is_an_attachment(answer):
    response = answer(ANSWERS["export"])
    assert response["Content-Type"].startswith("text/csv")
    assert response["Content-Disposition"] == 'attachment; filename="datasets.csv"'


REPORTS = "https://reports.example/csp"


def test_violations_are_reported_where_that_is_asked_for(answer, settings):
    settings.VIOLATIONS_TO = REPORTS
    directives = {**settings.CONTENT_SECURITY_POLICY["DIRECTIVES"], "report-uri": REPORTS}
    settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": {**directives, "report-to": "csp"}}
    response = answer(ANSWERS["page"])
    assert policy_of(response)["report-uri"] == {REPORTS}
    assert policy_of(response)["report-to"] == {"csp"}
    assert response["Reporting-Endpoints"] == f'csp="{REPORTS}"'


def test_pages_are_compressed_and_files_are_not(db):
    client = Client(headers={"accept-encoding": "gzip"})
    assert client.get("/sign-in/")["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in client.get("/api/schema/?format=json")
