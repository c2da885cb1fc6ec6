"""What a program sends is a token and no cookie: it has no session, and needs none."""

import pytest


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
@pytest.mark.parametrize(
    "path",
    [
        "/api/",
        "/api/docs/",
        "/api/schema/",
        "/api/session/login/",
        "/api/data_manager/",
        "/api/info/",
    ],
)
def test_a_program_may_ask_for_every_page(path, accept, api):
    assert api.get(path, HTTP_ACCEPT=accept).status_code in (200, 302)


def test_a_program_gets_no_session(api):
    answer = api.get("/api/data_manager/")
    assert not hasattr(answer.wsgi_request, "session")
    assert not answer.cookies
    assert answer["Content-Security-Policy"]
