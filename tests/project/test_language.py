"""The language of pages is the user's choice, else the browser's; the API has English only."""

import pytest
from django.test import Client
from django.utils import translation
from django.utils.translation import gettext, trans_real

GERMAN = {"Accept-Language": "de-CH,de;q=0.9,en;q=0.5"}
FRENCH = {"Accept-Language": "fr"}


def language_of(response):
    html = response.content.decode()
    return html.split('<html lang="')[1].split('"')[0]


@pytest.mark.parametrize(
    ("headers", "language"),
    [
        ({}, "en"),
        (GERMAN, "de"),
        (FRENCH, "fr"),
        ({"Accept-Language": "es, en-GB;q=0.5"}, "en"),
        ({"Accept-Language": "xx"}, "en"),
    ],
)
@pytest.mark.parametrize("path", ["/sign-in/", "/no-such-page/"])
@pytest.mark.django_db
def test_the_browser_chooses(client, path, headers, language):
    response = client.get(path, headers=headers)
    assert language_of(response) == response.headers["Content-Language"] == language
    assert "Accept-Language" in response.headers["Vary"]


def test_the_account_chooses_before_the_browser(alice, session_of):
    browser = session_of(alice)
    answer = browser.post("/language/", {"language": "fr", "next": "/tasks/"}, headers=GERMAN)
    assert (answer.status_code, answer.url) == (302, "/tasks/")
    assert language_of(browser.get("/", headers=GERMAN)) == "fr"
    # Pages that know no user have it from the cookie, and other browsers from the account.
    assert language_of(browser.get("/no-such-page/", headers=GERMAN)) == "fr"
    assert language_of(session_of(alice).get("/", headers=GERMAN)) == "fr"
    browser.post("/language/", {"language": ""})
    assert language_of(browser.get("/", headers=GERMAN)) == "de"


@pytest.mark.parametrize(
    ("sent", "place"),
    [
        ({"language": "xx", "next": "/tasks/"}, "/tasks/"),
        ({"language": "de", "next": "https://elsewhere.example/"}, "/account/"),
        ({}, "/account/"),
    ],
)
def test_odd_choices(alice, session_of, sent, place):
    browser = session_of(alice)
    assert browser.post("/language/", sent).url == place
    expected = sent.get("language") if sent.get("language") == "de" else "en"
    assert language_of(browser.get("/")) == expected


def test_strangers_choose_nothing(db):
    assert Client().post("/language/", {"language": "fr"}).url.startswith("/sign-in/")


def test_the_api_has_english_only(alice, session_of):
    browser = session_of(alice)
    browser.post("/language/", {"language": "fr"})
    answer = browser.get("/api/function/none/", headers={**FRENCH, "Accept": "application/json"})
    assert "Content-Language" not in answer.headers
    page = browser.get("/api/function/", headers={**FRENCH, "Accept": "text/html"})
    assert language_of(page) == "en"


def test_each_language_remembers_its_own_texts(client, db):
    for language in ("en", "de", "fr", "en", "de"):
        client.get("/sign-in/", headers={"Accept-Language": language})
    for language, text in {"en": "Yes", "de": "Ja", "fr": "Oui"}.items():
        with translation.override(language):
            before = trans_real.catalog().gettext.cache_info().hits
            assert [gettext("Yes"), gettext("Yes")] == [text, text]
            assert trans_real.catalog().gettext.cache_info().hits > before
