"""The audit trail: what happened or was denied, who did it, from where, and who may read it."""

import json
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.test import Client

from assets.common.files.storage import open_stored
from assets.common.kinds import AssetKind
from assets.feed.models import Event
from tests.builders import PUBLIC, make_dataset, make_function, only_to
from tests.cast import PASSWORD

AUDIT = "/audit/"
# Events of making organisations, users and tokens.
OF_SIGN_IN = {"user", "token", "organization"}


def trail(browser, query="") -> list[dict[str, str]]:
    """What the page lists, the newest first."""
    columns = "action,result,asset,asset_kind,actor_name,organization,address,detail"
    answer = browser.get(f"{AUDIT}?export=json&columns={columns}&{query}")
    assert answer.status_code == 200
    return json.loads(answer.getvalue())


def last() -> Event:
    return Event.objects.all()[0]


def summary_of(event: Event) -> tuple:
    return (
        event.actor_name,
        event.organization_id,
        event.action,
        event.result,
        event.asset_kind,
        event.address,
    )


# --- What is recorded -----------------------------------------------------------------------------


def test_a_registration_shows_from_where(alice, client_of):
    dataset = make_dataset(alice)
    assert last().address is None, "no one asked from anywhere"
    client_of(alice).put(
        f"/api/data_manager/{dataset.key}/", {"name": "New"}, format="json", REMOTE_ADDR="10.1.2.3"
    )
    kind = AssetKind.DATA_MANAGER
    assert summary_of(last()) == ("alice", "MyOrg1MSP", "renamed", "done", kind, "10.1.2.3")
    assert last().public


@pytest.mark.parametrize(
    ("who", "file", "status", "result"),
    [
        ("alice", "opener", 200, "done"),
        ("alice", "description", 200, "done"),
        ("bob", "opener", 403, "refused"),
    ],
)
def test_a_download_is_shown_also_when_it_is_refused(who, file, status, result, request, client_of):
    dataset = make_dataset(request.getfixturevalue("alice"), permissions=only_to())
    client = client_of(user := request.getfixturevalue(who))
    answer = client.get(f"/api/data_manager/{dataset.key}/{file}/")
    assert answer.status_code == status
    event = last()
    assert summary_of(event) == (
        who,
        user.organization_id,
        "downloaded",
        result,
        AssetKind.DATA_MANAGER,
        "127.0.0.1",
    )
    assert (event.asset_key, event.asset_name) == (dataset.key, dataset.name)
    assert event.detail == {"file": file}
    assert not event.public
    assert [found.pk for found in Event.objects.filter(address="127.0.0.1")] == [event.pk]


@pytest.mark.parametrize(
    ("method", "headers", "status", "count"),
    [
        ("get", {"HTTP_RANGE": "bytes=0-3"}, 206, 1),
        ("head", {}, 200, 0),
        ("get", {"HTTP_IF_NONE_MATCH": "{etag}"}, 304, 0),
        ("get", {"HTTP_RANGE": "bytes=100000-"}, 416, 0),
    ],
)
def test_only_what_hands_out_bytes_is_a_download(method, headers, status, count, alice, client_of):
    dataset, client = make_dataset(alice), client_of(alice)
    headers = {k: v.format(etag=f'"{dataset.opener_checksum}"') for k, v in headers.items()}
    answer = getattr(client, method)(f"/api/data_manager/{dataset.key}/opener/", **headers)
    assert answer.status_code == status
    assert Event.objects.filter(action=Event.Action.DOWNLOADED).count() == count


def test_parts_of_a_file_are_one_download(alice, bob, client_of, monkeypatch):
    """Of one user, and for an hour; a whole file is a download each time."""
    dataset = make_dataset(alice, permissions=PUBLIC)
    clients = {"alice": client_of(alice), "bob": client_of(bob)}
    downloads = Event.objects.filter(action="downloaded")
    opener, description = "opener", "description"
    for who, file, byte, count in (
        *(("alice", opener, n, 1) for n in range(5)),
        ("alice", description, 0, 2),
        ("bob", opener, 0, 3),
        ("bob", opener, 1, 3),
        ("alice", opener, None, 4),
        ("alice", opener, None, 5),
    ):
        headers = {} if byte is None else {"HTTP_RANGE": f"bytes={byte}-{byte}"}
        clients[who].get(f"/api/data_manager/{dataset.key}/{file}/", **headers)
        assert downloads.count() == count, (who, file, byte)
    monkeypatch.setattr("assets.permissions.downloads.ONCE", timedelta(0))
    clients["bob"].get(f"/api/data_manager/{dataset.key}/opener/", HTTP_RANGE="bytes=2-2")
    assert downloads.count() == 6


@pytest.mark.parametrize("who", ["alice", "bob", "root"])
def test_pages_that_show_files_to_others_are_shown(who, alice, request, session_of):
    """Once for each file; one's own are no one's concern, and superusers are shown none."""
    dataset = make_dataset(alice, permissions=PUBLIC)
    function = make_function(alice, permissions=PUBLIC)
    user = request.getfixturevalue(who)
    browser = session_of(user)
    pages = [
        f"/datasets/{dataset.key}/",
        f"/functions/{function.key}/",
        f"/functions/{function.key}/files/function.py",
        "/admin/",
        f"/admin/assets/dataset/{dataset.key}/change/",
        f"/api/data_manager/{dataset.key}/",
    ]
    for _ in range(2):
        for page in pages:
            browser.head(page)
            browser.get(page, HTTP_ACCEPT="text/html")
    found = Event.objects.filter(action="viewed").order_by("pk")
    assert [(event.asset_key, event.detail) for event in found] == (
        [
            (dataset.key, {"file": "opener"}),
            (dataset.key, {"file": "description"}),
            (function.key, {"file": "description"}),
            (function.key, {"file": "archive", "name": "Dockerfile"}),
            (function.key, {"file": "archive", "name": "function.py"}),
        ]
        if who == "bob"
        else []
    )
    assert {summary_of(event)[:4] for event in found} <= {("bob", "MyOrg2MSP", "viewed", "done")}
    assert not any(event.public for event in found)


@pytest.mark.parametrize("headers", [{}, {"HTTP_RANGE": "bytes=0-3"}])
def test_a_download_that_cannot_be_recorded_is_none(headers, alice, client_of, monkeypatch):
    """And its file is closed."""
    opened = []

    def remembered(name):
        opened.append(open_stored(name))
        return opened[-1]

    def fail(*args, **kwargs):
        raise OperationalError("the trail cannot be written")

    dataset, client = make_dataset(alice), client_of(alice)
    monkeypatch.setattr("assets.common.files.downloads.open_stored", remembered)
    monkeypatch.setattr("assets.feed.receivers.record_private", fail)
    client.raise_request_exception = False
    answer = client.get(f"/api/data_manager/{dataset.key}/opener/", **headers)
    assert answer.status_code == 503
    assert [file.closed for file in opened] == [True]


def test_what_else_is_refused_is_shown_with_its_path(alice, bob, client_of):
    function = make_function(alice)
    path = f"/api/function/{function.key}/"
    assert client_of(bob).put(path, {"name": "Mine"}, format="json").status_code == 403
    event = last()
    assert summary_of(event) == ("bob", "MyOrg2MSP", "tried", "refused", "request", "127.0.0.1")
    assert event.detail == {"method": "PUT", "path": path}


def test_what_is_refused_again_is_one_event(alice, bob, client_of):
    """For an hour, and for one user, address and thing: who tries on fills nothing."""
    dataset = make_dataset(alice, permissions=only_to())
    paths = [f"/api/data_manager/{dataset.key}/{file}/" for file in ("opener", "description")]
    client, ways = client_of(bob), [{}, {"Range": "bytes=0-0"}]
    for path in paths:
        for headers in ways * 2:
            assert client.get(path, headers=headers).status_code == 403
    path = f"/api/data_manager/{dataset.key}/"
    for _ in range(3):
        assert client.put(path, {"name": "Mine"}, format="json").status_code == 403
    refused = Event.objects.filter(result="refused").values_list("action", flat=True)
    assert sorted(refused) == ["downloaded", "downloaded", "tried"]


def test_signing_in_and_out_is_shown(alice):
    browser = Client(REMOTE_ADDR="10.9.8.7")
    for password in ("wrong", PASSWORD):
        browser.post("/sign-in/", {"username": "alice", "password": password})
    browser.post("/sign-out/")
    found = Event.objects.filter(address="10.9.8.7").order_by("pk")
    assert [summary_of(event) for event in found] == [
        ("", "MyOrg1MSP", "signed_in", "refused", "user", "10.9.8.7"),
        ("alice", "MyOrg1MSP", "signed_in", "done", "user", "10.9.8.7"),
        ("alice", "MyOrg1MSP", "signed_out", "done", "user", "10.9.8.7"),
    ]
    assert {event.asset_name for event in found} == {"alice"}


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["unknown", "x" * 400])
def test_names_that_no_one_has_are_recorded_too(name):
    Client().post("/api/api-token-auth/", {"username": name, "password": "guess"})
    events = Event.objects.filter(action="signed_in")
    assert events
    for event in events:
        assert (event.organization_id, event.result) == (None, "refused")


def attempt(name: str, password: str = "wrong") -> int:
    browser = Client(REMOTE_ADDR="10.9.8.7")
    return browser.post("/sign-in/", {"username": name, "password": password}).status_code


def refusals() -> list[tuple[str, str | None, str]]:
    found = Event.objects.filter(action="signed_in", result="refused").order_by("pk")
    return [
        (event.asset_name, event.organization_id, event.detail.get("changed", ""))
        for event in found
    ]


def test_many_refused_sign_ins_are_two_events(alice):
    assert [attempt("alice") for _ in range(20)] == [422] * 10 + [429] * 10
    assert refusals() == [
        ("alice", "MyOrg1MSP", ""),
        ("alice", "MyOrg1MSP", "locked after 10 failed attempts"),
    ]


def test_many_guessed_names_are_two_events_and_those_of_users(alice, bob, settings):
    settings.LOGIN_FAILURES_PER_ADDRESS = 12
    for n in range(24):
        attempt(f"name{n}" if n not in (4, 8) else {4: "alice", 8: "bob"}[n])
    assert refusals() == [
        ("name0", None, ""),
        ("alice", "MyOrg1MSP", ""),
        ("bob", "MyOrg2MSP", ""),
        ("", None, "locked after 12 failed attempts"),
    ]


def test_a_sign_in_shows_how_many_failed_before_it(alice):
    for _ in range(3):
        attempt("alice")
    attempt("alice", PASSWORD)
    assert refusals()[1:] == [("alice", "MyOrg1MSP", "3 attempts failed before this one")]


@pytest.mark.django_db
def test_what_a_provider_never_sent_is_one_event(settings):
    settings.OIDC_ISSUER = "http://127.0.0.1:9"
    for _ in range(5):
        assert Client().get("/sign-in/provider/return/?code=x").status_code == 400
    assert refusals() == [("", None, "")]


# --- Who may read it ------------------------------------------------------------------------------


@pytest.fixture
def history(alice, bob, client_of) -> str:
    """Two organisations' events; returns the key of a dataset that bob Denied:."""
    dataset = make_dataset(alice, permissions=only_to())
    client_of(bob).get(f"/api/data_manager/{dataset.key}/opener/")
    client_of(alice).get(f"/api/data_manager/{dataset.key}/opener/")
    return str(dataset.key)


def test_an_admin_reads_its_organisation_s(history, ada, session_of):
    rows = trail(session_of(ada), "action=downloaded")
    assert [(row["actor_name"], row["organization"]) for row in rows] == [("alice", "MyOrg1MSP")]


def test_a_superuser_reads_all(history, root, session_of):
    rows = trail(session_of(root), "action=downloaded")
    assert [row["actor_name"] for row in rows] == ["alice", "bob"]


@pytest.mark.parametrize("who", ["alice", "victor", "bob"])
def test_others_are_refused_and_shown_why(who, history, request, session_of):
    answer = session_of(request.getfixturevalue(who)).get(AUDIT)
    assert answer.status_code == 403
    assert "can read its audit trail" in answer.content.decode()


def test_no_one_else_sees_it_anywhere(history, alice, bob, session_of):
    """Activity, home, the asset's page and the admin show what happened to assets only."""
    for who in (alice, bob):
        browser = session_of(who)
        for page in ("/activity/", "/", f"/datasets/{history}/", "/admin/", "/admin/assets/event/"):
            answer = browser.get(page)
            assert answer.status_code == 200
            text = answer.content.decode().lower()
            assert "downloaded" not in text.replace('value="downloaded"', "").replace(
                "action__exact=downloaded", ""
            ).replace(">downloaded</a>", ""), page


def test_the_owner_s_admins_see_who_wanted_their_asset(history, ada, session_of):
    text = session_of(ada).get(f"/datasets/{history}/").content.decode()
    assert "bob (MyOrg2MSP)" in text
    assert "Denied:" in text


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("result=refused", 1),
        ("result=done&action=downloaded", 1),
        ("address=127.0.0.1", 2),
        ("address=127.0.0.2", 0),
        ("address=nonsense", 0),
        ("kind=ASSET_DATA_MANAGER", 3),
        ("kind=request", 0),
        ("actor=bob", 1),
        ("q=blood&action=downloaded", 2),
        ("organization=MyOrg2MSP&address=127.0.0.1", 1),
        ("until=2000-01-01", 0),
    ],
)
def test_it_is_filtered(query, count, history, root, session_of):
    rows = trail(session_of(root), query)
    assert len([row for row in rows if row["asset_kind"].lower() not in OF_SIGN_IN]) == count


def test_the_navigation_leads_there_for_admins_only(ada, alice, session_of):
    assert f'href="{AUDIT}"' in session_of(ada).get("/").content.decode()
    assert f'href="{AUDIT}"' not in session_of(alice).get("/").content.decode()


def test_there_is_no_way_to_change_it(history, root, session_of):
    browser, event = session_of(root), Event.objects.first()
    for action in ("change", "delete"):
        url = f"/admin/assets/event/{event.pk}/{action}/"
        assert browser.post(url, {"actor_name": "unknown"}).status_code in (403, 405)
    assert browser.get("/admin/assets/event/add/").status_code == 403
    event.refresh_from_db()
    assert event.actor_name != "unknown"


# --- Users and tokens -----------------------------------------------------------------------------

NEW = {"username": "nina", "password": "a long and odd one 9", "role": "USER"}


@pytest.mark.parametrize(
    ("method", "path", "body", "event"),
    [
        ("post", "users/", NEW, ("ada", "created", "user", "nina", "role: member")),
        (
            "put",
            "users/alice/",
            {"role": "ADMIN"},
            ("ada", "changed", "user", "alice", "role: admin, before: member"),
        ),
        ("delete", "users/alice/", {}, ("ada", "removed", "user", "alice", None)),
        (
            "post",
            "users/alice/reset_password/",
            {},
            ("ada", "changed", "user", "alice", "a link that sets the password was made"),
        ),
        (
            "put",
            "users/ada/password/",
            {"password": NEW["password"]},
            ("ada", "changed", "user", "ada", "password"),
        ),
    ],
)
def test_changes_of_users_are_shown(method, path, body, event, ada, alice, client_of):
    client = client_of(ada)
    answer = getattr(client, method)(f"/api/{path}", body, format="json")
    assert answer.status_code < 300, answer.content
    found = Event.objects.filter(asset_kind="user").exclude(action="created", address=None)
    summaries = [
        (row.actor_name, row.action, row.asset_kind, row.asset_name, row.detail.get("changed"))
        for row in found
    ]
    assert summaries == [event]
    assert {row.organization_id for row in found} == {"MyOrg1MSP"}
    assert {row.address for row in found} == {"127.0.0.1"}


def test_changes_of_tokens_are_shown(alice, client_of):
    client = client_of(alice)
    before = Event.objects.count()
    expiry = {"note": "notebook", "expires_at": "2100-01-01T00:00:00Z"}
    made = client.post("/api/api-token/", expiry, format="json").json()
    client.delete(f"/api/active-api-tokens/?id={made['id']}")
    events = list(Event.objects.order_by("pk")[before:])
    assert [(event.action, event.actor_name, event.asset_name) for event in events] == [
        ("created", "alice", "alice"),
        ("removed", "alice", "alice"),
    ]
    assert {str(event.asset_key) for event in events} == {made["id"]}
    assert made["token"] not in str([event.detail for event in events])


def test_a_superuser_s_work_is_read_by_the_organisation(root, alice, session_of, ada):
    """Whoever changes a user, its organisation's admins know."""
    browser = session_of(root)
    browser.post(f"/users/{alice.pk}/reset/")
    rows = trail(session_of(ada), "actor=root")
    assert [(row["actor_name"], row["action"], row["asset"]) for row in rows] == [
        ("root", "changed", "alice")
    ]
