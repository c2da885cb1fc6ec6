"""What changes something needs the token of the page it was sent from; programs need none."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, reverse
from rest_framework.test import APIClient

from assets.pages import urlpatterns
from tests.cast import PASSWORD
from tests.files.stored import row_counts
from tests.pages.test_attacks import url_of

from .consortium import VISIBILITIES, make_assets
from .matrix import ROWS, RUNNERS, Asked

pytestmark = pytest.mark.django_db

SAFE = ("get", "head", "options")
# Take a password, or the token of a runner, and look at no session.
NEEDS_NONE = {"api-token-auth", *(row.name for row in ROWS if row.expected is RUNNERS)}


@pytest.fixture
def assets(alice):
    return make_assets(alice, VISIBILITIES["private"])


@pytest.fixture
def keys(assets, alice):
    return {
        "dataset": assets.dataset.key,
        "data-sample": assets.sample.key,
        "function": assets.function.key,
        "compute-plan": assets.plan.key,
        "task": assets.failed.key,
        "organization": alice.organization_id,
        "user": alice.pk,
    }


def browser_of(user, kind=Client):
    browser = kind(enforce_csrf_checks=True)
    browser.force_login(user)
    return browser


def test_no_page_takes_what_came_from_elsewhere(ada, keys):
    browser, before = browser_of(ada), row_counts(without=())
    answers = {pattern.name: browser.post(url_of(pattern.name, keys)) for pattern in urlpatterns}
    assert len(answers) > 40
    assert {name for name, answer in answers.items() if answer.status_code != 403} == set()
    assert row_counts(without=()) == before


def admin_urls(assets) -> list[str]:
    names = {
        "dataset": assets.dataset,
        "datasample": assets.sample,
        "function": assets.function,
        "computeplan": assets.plan,
        "task": assets.done,
        "user": assets.plan.creator,
    }
    urls = [f"/admin/{one}/" for one in ("login", "logout", "password_change")]
    for model, model_admin in admin.site._registry.items():
        of = f"/admin/assets/{model._meta.model_name}/"
        urls += [of, f"{of}add/"]
        row = names.get(model._meta.model_name)
        for pattern in model_admin.get_urls() if row else ():
            if isinstance(pattern, URLPattern) and (pattern.name or "").endswith(
                ("change", "delete", "cancel", "tasks")
            ):
                urls.append(reverse(f"admin:{pattern.name}", args=[row.pk]))
    return urls


def test_nor_does_the_admin(ada, assets):
    browser, before = browser_of(ada), row_counts(without=())
    urls = admin_urls(assets)
    assert len(urls) > 30
    assert {url for url in urls if browser.post(url, {"name": "x"}).status_code != 403} == set()
    assert row_counts(without=()) == before


UNSAFE = [row for row in ROWS if row.method not in SAFE]


def _send(client, row, asked):
    url = reverse(f"api:{row.name}", kwargs=row.kwargs(asked.assets)) + row.query(asked)
    return getattr(client, row.method)(url, row.body(asked), format=row.format)


@pytest.fixture
def asked(assets, alice, ada, victor, client_of):
    client_of(alice)
    users = {user.username: user for user in (alice, ada, victor)}
    return Asked(assets, {**users, "password": PASSWORD})


def test_nor_does_the_api_by_the_session_of_a_browser(ada, asked):
    client = browser_of(ada, APIClient)
    answers = {row.label: _send(client, row, asked) for row in UNSAFE if row.name not in NEEDS_NONE}
    assert len(answers) > 15
    for label, answer in answers.items():
        assert answer.status_code == 403, label
        assert "CSRF" in answer.json()["detail"], label


def test_programs_need_none(ada, asked, client_of):
    token = client_of(ada).defaults["HTTP_AUTHORIZATION"]
    for row in UNSAFE:
        client = APIClient(enforce_csrf_checks=True, HTTP_AUTHORIZATION=token)
        answer = _send(client, row, asked)
        assert b"CSRF" not in answer.content, row.label
