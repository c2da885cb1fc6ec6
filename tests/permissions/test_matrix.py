"""Everybody asks every endpoint; a new endpoint without a row in the matrix fails."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, reverse
from django.utils import timezone
from rest_framework.test import APIClient

from assets import api
from assets.accounts.models import ApiToken, Role
from assets.accounts.registration.tokens import create_token
from assets.accounts.registration.users import create_user
from tests.cast import PASSWORD
from tests.files.stored import nothing_left, row_counts, stored_files
from tests.properties.helpers import rolled_back

from .consortium import VISIBILITIES, make_assets
from .matrix import ACTORS, OUTSIDERS, ROWS, RUNNERS, Asked

pytestmark = pytest.mark.django_db

SAFE = ("get", "head", "options")
USERS = {
    "owner": "alice",
    "admin": "ada",
    "viewer": "victor",
    "authorised": "bob",
    "its viewer": "vera",
    "unauthorised": "carol",
    "superuser": "root",
    "expired": "alice",
    "inactive": "ida",
}


@pytest.fixture
def users(alice, ada, victor, bob, carol, root, org_b):
    vera = create_user("vera", organization=org_b, role=Role.VIEWER)
    ida = create_user("ida", organization=alice.organization)
    ida.is_active = False
    ida.save()
    found = (alice, ada, victor, bob, carol, root, vera, ida)
    create_token(alice, expires_at=timezone.now() + timedelta(hours=1))
    return {**{user.username: user for user in found}, "password": PASSWORD}


@pytest.fixture
def assets_by_visibility(users):
    return {name: make_assets(users["alice"], value) for name, value in VISIBILITIES.items()}


def client_for(actor, users, client_of) -> APIClient:
    if actor == "anonymous":
        return APIClient()
    client = client_of(users[USERS[actor]])
    if actor == "expired":
        past = timezone.now() - timedelta(minutes=1)
        newest = ApiToken.objects.filter(user=users["alice"]).latest("created_at")
        newest.created_at, newest.expires_at = past - timedelta(minutes=1), past
        newest.save()
    return client


def send(client, row, asked):
    url = reverse(f"api:{row.name}", kwargs=row.kwargs(asked.assets)) + row.query(asked)
    body, options = row.body(asked), {}
    if row.method not in SAFE and body is not None:
        options = {"data": body, "format": row.format}
    answer = getattr(client, row.method)(url, **options)
    if answer.streaming:
        b"".join(answer.streaming_content)
    return answer


@pytest.mark.parametrize("actor", ACTORS)
def test_matrix(users, assets_by_visibility, client_of, actor):
    client = client_for(actor, users, client_of)
    visibilities = ("public",) if actor in OUTSIDERS else tuple(assets_by_visibility)
    found, expected = {}, {}
    for row in ROWS:
        for visibility in visibilities:
            label = f"{row.label}, {visibility}"
            expected[label] = row.status(actor, visibility)
            with rolled_back():
                before = row_counts(without=()) if row.method not in SAFE else None
                answer = send(client, row, Asked(assets_by_visibility[visibility], users))
                found[label] = answer.status_code
                if answer.status_code >= 400:
                    assert "detail" in answer.json(), label
                    assert before in (None, row_counts(without=())), f"{label} left something"
    assert found == expected


def routes(patterns=api.urlpatterns):
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns)
        elif isinstance(pattern, URLPattern):
            yield from ((pattern.name, method) for method in methods_of(pattern.callback))


def methods_of(view) -> list[str]:
    """The methods that the view answers, apart from those that DRF adds to each."""
    view_class = getattr(view, "cls", None)
    if view_class is None:
        return ["get"]  # a plain function, of which there are the two of health
    offered = getattr(view, "actions", None) or dir(view_class)
    return [
        m for m in view_class.http_method_names if m in offered and m not in ("head", "options")
    ]


def test_every_endpoint_has_a_row():
    assert {(row.name, row.method) for row in ROWS} == set(routes())


@pytest.mark.parametrize("namespace", ["api-0.49", "api-0.50"])
def test_older_sdks_find_the_same_endpoints(assets_by_visibility, namespace):
    for row in ROWS:
        kwargs = row.kwargs(assets_by_visibility["public"])
        path = reverse(f"api:{row.name}", kwargs=kwargs).removeprefix("/api/")
        prefix = namespace.replace("api-", "sdk-")
        assert reverse(f"{namespace}:{row.name}", kwargs=kwargs) == f"/api/{prefix}/{path}"


def test_a_browser_needs_its_csrf_token_to_change_anything(users, assets_by_visibility):
    """Another site's form could send the cookie, but not the token."""
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(users["alice"])
    asked = Asked(assets_by_visibility["public"], users)
    # Signing in by password looks at no session, and runners have none: nothing to protect.
    rows = [
        row
        for row in ROWS
        if row.method not in SAFE and row.name != "api-token-auth" and row.expected is not RUNNERS
    ]
    assert len(rows) > 10
    for row in rows:
        url = reverse(f"api:{row.name}", kwargs=row.kwargs(asked.assets)) + row.query(asked)
        with nothing_left():
            answer = getattr(browser, row.method)(url, "{}", content_type="application/json")
        assert answer.status_code == 403, row.label
        assert "CSRF" in answer.json()["detail"], row.label


def test_refusing_a_download_shows_nothing_about_the_file(users, assets_by_visibility, client_of):
    """Neither its name, nor its size, nor whether it is there."""
    client, files = client_of(users["carol"]), stored_files()
    answers = set()
    for row in ROWS:
        if row.expected.get("private", {}).get("unauthorised") == 403 and row.method == "get":
            answer = send(client, row, Asked(assets_by_visibility["private"], users))
            answers.add((answer.content, answer.get("Content-Disposition")))
    assert answers == {(b'{"detail":"Unauthorized"}', None)}
    assert stored_files() == files
