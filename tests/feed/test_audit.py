"""The audit trail: what happened or was refused, by whom, from where, and who may read it."""

import json

import pytest
from django.test import Client

from assets.common.kinds import AssetKind
from assets.feed.models import Event
from tests.builders import make_dataset, make_function, only_to
from tests.conftest import PASSWORD

AUDIT = "/audit/"


def trail(browser, query="") -> list[dict[str, str]]:
    """What the page lists, the newest first."""
    columns = "action,result,asset,asset_kind,actor_name,organization,address,detail"
    answer = browser.get(f"{AUDIT}?export=json&columns={columns}&{query}")
    assert answer.status_code == 200
    return json.loads(answer.getvalue())


def last() -> Event:
    return Event.objects.all()[0]


def told(event: Event) -> tuple:
    return (
        event.actor_name,
        event.organization_id,
        event.action,
        event.result,
        event.asset_kind,
        event.address,
    )


# --- What is told ---------------------------------------------------------------------------------


def test_a_registration_tells_from_where(alice, client_of):
    dataset = make_dataset(alice)
    assert last().address is None, "nobody asked from anywhere"
    client_of(alice).put(
        f"/api/data_manager/{dataset.key}/", {"name": "New"}, format="json", REMOTE_ADDR="10.1.2.3"
    )
    kind = AssetKind.DATA_MANAGER
    assert told(last()) == ("alice", "MyOrg1MSP", "renamed", "done", kind, "10.1.2.3")
    assert last().public


@pytest.mark.parametrize(
    ("who", "file", "status", "result"),
    [
        ("alice", "opener", 200, "done"),
        ("alice", "description", 200, "done"),
        ("bob", "opener", 403, "refused"),
    ],
)
def test_a_download_is_told_also_when_it_is_refused(who, file, status, result, request, client_of):
    dataset = make_dataset(request.getfixturevalue("alice"), permissions=only_to())
    client = client_of(user := request.getfixturevalue(who))
    answer = client.get(f"/api/data_manager/{dataset.key}/{file}/")
    assert answer.status_code == status
    event = last()
    assert told(event) == (
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
    assert Event.objects.filter(public=False).count() == 1


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


def test_what_else_is_refused_is_told_with_its_path(alice, bob, client_of):
    function = make_function(alice)
    path = f"/api/function/{function.key}/"
    assert client_of(bob).put(path, {"name": "Mine"}, format="json").status_code == 403
    event = last()
    assert told(event) == ("bob", "MyOrg2MSP", "tried", "refused", "request", "127.0.0.1")
    assert event.detail == {"method": "PUT", "path": path}


def test_signing_in_and_out_is_told(alice):
    browser = Client(REMOTE_ADDR="10.9.8.7")
    for password in ("wrong", PASSWORD):
        browser.post("/sign-in/", {"username": "alice", "password": password})
    browser.post("/sign-out/")
    events = [told(event) for event in Event.objects.order_by("pk")]
    assert events == [
        ("", "MyOrg1MSP", "signed_in", "refused", "user", "10.9.8.7"),
        ("alice", "MyOrg1MSP", "signed_in", "done", "user", "10.9.8.7"),
        ("alice", "MyOrg1MSP", "signed_out", "done", "user", "10.9.8.7"),
    ]
    assert set(Event.objects.values_list("asset_name", flat=True)) == {"alice"}


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["nobody", "x" * 400, "ali\0ce"])
def test_names_that_nobody_has_are_told_too(name):
    Client().post("/api-token-auth/", {"username": name, "password": "guess"})
    Client().post("/api/api-token-auth/", {"username": name, "password": "guess"})
    for event in Event.objects.all():
        assert (event.organization_id, event.result) == (None, "refused")


# --- Who may read it ------------------------------------------------------------------------------


@pytest.fixture
def history(alice, bob, client_of) -> str:
    """Two organisations' events; returns the key of a dataset that bob was refused."""
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
def test_others_are_refused_and_told_why(who, history, request, session_of):
    answer = session_of(request.getfixturevalue(who)).get(AUDIT)
    assert answer.status_code == 403
    assert "read by the admins" in answer.content.decode()


def test_nobody_else_sees_it_anywhere(history, alice, bob, session_of):
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
    assert "was refused" in text


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
        ("organization=MyOrg2MSP", 1),
        ("until=2000-01-01", 0),
    ],
)
def test_it_is_filtered(query, count, history, root, session_of):
    rows = trail(session_of(root), query)
    rows = [row for row in rows if row["asset_kind"] != "User"]
    assert len(rows) == count


def test_the_navigation_leads_there_for_admins_only(ada, alice, session_of):
    assert f'href="{AUDIT}"' in session_of(ada).get("/").content.decode()
    assert f'href="{AUDIT}"' not in session_of(alice).get("/").content.decode()


def test_there_is_no_way_to_change_it(history, root, session_of):
    browser, event = session_of(root), Event.objects.first()
    for action in ("change", "delete"):
        url = f"/admin/assets/event/{event.pk}/{action}/"
        assert browser.post(url, {"actor_name": "nobody"}).status_code in (403, 405)
    assert browser.get("/admin/assets/event/add/").status_code == 403
    event.refresh_from_db()
    assert event.actor_name != "nobody"
