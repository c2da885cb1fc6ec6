"""The page of activity: what happened, found by who, what, where and when."""

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from assets.common.kinds import AssetKind
from assets.feed.models import Event
from assets.feed.registration import record, rename
from tests.builders import make_dataset, make_function, make_samples

pytestmark = pytest.mark.postgresql

ACTIVITY = "/activity/"
NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
PLAN = UUID("11111111-1111-4111-8111-111111111111")


def happen(actor, action, kind, name="", key=None, when=NOON, **detail) -> UUID:
    key = key or uuid4()
    record(actor, action, kind, {key: name}, when=when, detail=detail)
    return key


@pytest.fixture
def history(alice, bob) -> None:
    """A few events of two organisations, an hour apart."""
    steps = [
        (alice, Event.Action.REGISTERED, AssetKind.DATA_MANAGER, "Blood", None, {}),
        (alice, Event.Action.RENAMED, AssetKind.DATA_MANAGER, "Serum", None, {"old_name": "Sera"}),
        (bob, Event.Action.REGISTERED, AssetKind.FUNCTION, "Train", None, {}),
        (bob, Event.Action.REGISTERED, AssetKind.COMPUTE_PLAN, "Study", PLAN, {}),
        (bob, Event.Action.STARTED, AssetKind.COMPUTE_PLAN, "Study", PLAN, {}),
        (
            alice,
            Event.Action.ENDED,
            AssetKind.COMPUTE_PLAN,
            "Study",
            PLAN,
            {"status": "STATUS_FAILED", "first_failed_task_key": str(PLAN)},
        ),
        (bob, Event.Action.CANCELED, AssetKind.COMPUTE_PLAN, "Other", None, {}),
    ]
    for hour, (actor, action, kind, name, key, detail) in enumerate(steps):
        when = NOON + timedelta(hours=6 * hour)
        happen(actor, action, kind, name, key, when, **detail)


def found(browser, query="") -> list[tuple[str, str]]:
    """What the page lists: (action, name) of each event."""
    columns = "columns=action,asset"
    answer = browser.get(f"{ACTIVITY}?export=json&{columns}&{query}")
    return [(row["action"], row["asset"]) for row in json.loads(answer.getvalue())]


ALL = [
    ("cancelled", "Other"),
    ("ended", "Study"),
    ("started", "Study"),
    ("registered", "Study"),
    ("registered", "Train"),
    ("renamed", "Serum"),
    ("registered", "Blood"),
]


@pytest.mark.parametrize("name", ["alice", "victor", "carol", "root"])
def test_everybody_sees_what_happened_the_newest_first(name, history, request, session_of):
    browser = session_of(request.getfixturevalue(name))
    page = browser.get(ACTIVITY)
    assert page.status_code == 200
    assert found(browser) == ALL
    text = page.content.decode()
    assert text.index("Other") < text.index("Study") < text.index("Train") < text.index("Blood")


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("q=bob", []),
        ("q=external", [ALL[0], ALL[2], ALL[3], ALL[4]]),
        ("q=alice", [ALL[1], ALL[5], ALL[6]]),
        ("q=ser", [ALL[5]]),
        ("q=nothing", []),
        ("organization=MyOrg1MSP", [ALL[1], ALL[5], ALL[6]]),
        ("action=registered", [ALL[3], ALL[4], ALL[6]]),
        ("kind=ASSET_FUNCTION", [ALL[4]]),
        ("since=2026-03-15", [*ALL[:5]]),
        ("until=2026-03-14", ALL[5:]),
        ("since=2026-03-15&until=2026-03-15", ALL[1:5]),
        (f"asset_key={PLAN}", ALL[1:4]),
        ("asset_key=no-key", []),
        ("actor=bob", []),
        ("actor=alice", [ALL[1], ALL[5], ALL[6]]),
        ("actor=alic", []),
        ("news=all", [ALL[1], ALL[2], ALL[3], ALL[6]]),
        ("news=important", [ALL[1]]),
        ("sort=asset", [ALL[6], ALL[0], ALL[5], ALL[1], ALL[2], ALL[3], ALL[4]]),
    ],
)
def test_finding_what_happened(query, kept, history, session_of, alice):
    browser = session_of(alice)
    assert found(browser, query) == kept
    page = browser.get(f"{ACTIVITY}?{query}")
    assert page.status_code == 200
    assert ("No results match these filters." in page.content.decode()) == (not kept)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("alice", ["alice", "external"]),
        ("ada", ["alice", "external"]),
        ("bob", ["external", "bob"]),
    ],
)
def test_names_of_users_stay_in_their_organisation(name, shown, alice, bob, request, session_of):
    """On every page, in exports, and whatever one searches or orders by."""
    keys = [make_dataset(alice).pk, make_dataset(bob).pk]
    browser = session_of(request.getfixturevalue(name))
    rows = json.loads(browser.get(f"{ACTIVITY}?export=json&columns=actor_name").getvalue())
    assert [row["actor_name"] for row in rows] == shown[::-1]
    pages = [ACTIVITY, "/", *(f"/datasets/{key}/" for key in keys)]
    if name == "ada":
        public_keys = Event.objects.filter(public=True).values_list("pk", flat=True)
        pages += ["/admin/", "/admin/assets/event/"]
        pages += [f"/admin/assets/event/{pk}/change/" for pk in public_keys]
    hidden = {"alice", "ada", "bob"} - {*shown, name}
    for page in pages:
        answer = browser.get(page)
        assert answer.status_code == 200
        text = answer.content.decode()
        assert not [word for word in hidden if re.search(rf"\b{word}\b", text)], page
        assert page != ACTIVITY or all(word in text for word in shown)


def test_superusers_see_all_names(alice, bob, root, session_of):
    make_dataset(alice)
    make_dataset(bob)
    rows = session_of(root).get(f"{ACTIVITY}?export=json&columns=actor_name").getvalue()
    assert {row["actor_name"] for row in json.loads(rows)} == {"alice", "bob"}


@pytest.mark.parametrize(
    "query", ["action=eaten", "kind=dog", "since=soon", "organization=Unknown", "page=99", "page=x"]
)
def test_what_cannot_be_asked(query, history, session_of, alice):
    assert session_of(alice).get(f"{ACTIVITY}?{query}").status_code == 200


def test_presets_are_links_and_say_which_holds(history, session_of, alice):
    text = session_of(alice).get(f"{ACTIVITY}?news=important").content.decode()
    assert 'href="/activity/?news=all">News</a>' in text
    assert 'href="/activity/?news=important" aria-current="true">Plans that ended</a>' in text
    assert "News: plans that ended" in text
    assert 'name="news" value="important"' in text


def test_an_event_shows_everything_and_leads_to_its_asset(history, session_of, alice):
    text = session_of(alice).get(f"{ACTIVITY}?columns=asset,detail,action,organization")
    text = text.content.decode()
    assert f'<a href="/compute-plans/{PLAN}/" class="">Study</a>' in text
    assert "failed, task 11111111 failed first" in text
    assert "before: Sera" in text
    assert '<span class="tag tag-bad">ended</span>' in text
    assert 'href="/organisations/MyOrg2MSP/"' in text


def test_every_kind_leads_to_its_page(alice, session_of):
    dataset = make_dataset(alice)
    (sample,) = make_samples(alice, dataset.key)
    function = make_function(alice)
    text = session_of(alice).get(ACTIVITY).content.decode()
    for path in (
        f"/datasets/{dataset.pk}/",
        f"/data-samples/{sample.pk}/",
        f"/functions/{function.pk}/",
    ):
        assert f'href="{path}"' in text
    assert re.search(rf'class="mono">{str(sample.pk)[:8]}</a>', text)


def test_what_was_linked_is_named(alice, session_of):
    keys = [str(uuid4()) for _ in range(3)]
    happen(alice, Event.Action.LINKED, AssetKind.DATA_SAMPLE, data_manager_keys=keys)
    text = session_of(alice).get(ACTIVITY).content.decode()
    assert f"to dataset {keys[0][:8]}, {keys[1][:8]} and 1 more" in text


def test_a_rename_is_in_the_trail_of_its_asset(alice, session_of):
    dataset = make_dataset(alice)
    rename(alice, dataset, "New name")
    text = session_of(alice).get(f"{ACTIVITY}?asset_key={dataset.pk}").content.decode()
    assert "before: Blood counts" in text
    assert f"Asset: {dataset.pk}" in text


def test_the_trail_is_exported_for_a_spreadsheet(alice, session_of):
    happen(alice, Event.Action.REGISTERED, AssetKind.FUNCTION, "=1+1", key=PLAN)
    answer = session_of(alice).get(f"{ACTIVITY}?export=csv&columns=timestamp,asset_key,asset")
    assert answer["Content-Disposition"] == 'attachment; filename="activity.csv"'
    rows = list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
    assert rows == [["When", "Asset", "Key"], ["2026-03-14T12:00:00+00:00", "'=1+1", str(PLAN)]]


def test_where_nothing_happened_yet(session_of, alice):
    text = session_of(alice).get(ACTIVITY).content.decode()
    assert "No events yet" in text


def test_the_trail_is_read_only(session_of, alice):
    browser = session_of(alice)
    for method in ("post", "put", "delete"):
        assert getattr(browser, method)(ACTIVITY).status_code == 405


@pytest.mark.parametrize("rows", [2, 20])
@pytest.mark.parametrize("query", ["", "news=all&organization=MyOrg1MSP"])
def test_queries_of_activity(rows, query, alice, session_of, django_assert_num_queries):
    for number in range(rows):
        happen(alice, Event.Action.REGISTERED, AssetKind.DATA_MANAGER, f"Dataset {number}")
    browser = session_of(alice)
    with django_assert_num_queries(5):
        browser.get(f"{ACTIVITY}?{query}")


def test_pages_of_the_trail_never_overlap(alice, session_of):
    """All at the same moment, as a batch is."""
    names = {uuid4(): f"Dataset {number}" for number in range(60)}
    record(alice, Event.Action.REGISTERED, AssetKind.DATA_MANAGER, names, when=NOON)
    browser = session_of(alice)
    seen = []
    for page in (1, 2, 3):
        text = browser.get(f"{ACTIVITY}?per_page=25&page={page}").content.decode()
        seen += re.findall(r'href="/datasets/([^"/]+)/"', text)
    assert len(seen) == 60
    assert set(seen) == {str(key) for key in names}


def test_keys_are_shown_on_request_only(alice, session_of):
    make_dataset(alice)
    browser = session_of(alice)
    for query, is_shown in (("", False), ("?columns=asset,asset_key", True)):
        table = browser.get(f"{ACTIVITY}{query}").context["table"]
        assert ("asset_key" in [column.name for column in table.columns]) == is_shown
