"""The pages that list datasets and data samples."""

import csv
import io
import json
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest

from assets.datasets.models import DataSample, Dataset
from tests.builders import (
    PRIVATE,
    PUBLIC,
    make_dataset,
    make_function,
    make_plan,
    make_samples,
    only_to,
    training_task,
)

pytestmark = pytest.mark.postgresql

DATASETS, SAMPLES = "/datasets/", "/data-samples/"
B = "MyOrg2MSP"


def body(response) -> str:
    found = b"".join(response.streaming_content) if response.streaming else response.content
    return found.decode("utf-8-sig")


def names(response) -> list[str]:
    return [row.record.name for row in response.context["table"].page]


def keys(response) -> set:
    return {row.record.pk for row in response.context["table"].page}


@pytest.fixture
def browser(bob, session_of):
    """B looks at what A has registered."""
    return session_of(bob)


@pytest.fixture
def three(alice, bob) -> list[Dataset]:
    return [
        make_dataset(alice, name="Blood", type="tabular", permissions=PUBLIC),
        make_dataset(alice, name="Scans", type="images", permissions=PRIVATE, metadata={"a": "1"}),
        make_dataset(bob, name="Bones", type="images", metadata={"a": "2"}),
    ]


class TestEveryList:
    @pytest.mark.parametrize("url", [DATASETS, SAMPLES])
    def test_strangers_sign_in_first_and_nothing_is_sent_to_it(
        self, url, client, alice, session_of
    ):
        response = client.get(url)
        assert response.status_code == 302
        assert response.url.startswith("/sign-in/?next=")
        assert session_of(alice).post(url).status_code == 405

    @pytest.mark.parametrize("url", [DATASETS, SAMPLES])
    @pytest.mark.parametrize(("who", "may"), [("alice", True), ("victor", False), ("root", False)])
    def test_an_empty_list_says_what_it_is_for(self, url, who, may, request, session_of):
        html = body(session_of(request.getfixturevalue(who)).get(url))
        assert "yet</strong>" in html
        assert ("Register a " in html) == may
        assert (f'href="{url}new/' in html) == may

    @pytest.mark.parametrize("url", [DATASETS, SAMPLES])
    def test_a_filter_that_keeps_nothing_is_no_empty_list(self, url, alice, session_of):
        make_samples(alice, make_dataset(alice).pk)
        html = body(session_of(alice).get(url, {"q": "no such thing"}))
        assert "No results match these filters." in html
        assert "yet</strong>" not in html

    @pytest.mark.parametrize("query", ["page=99", "page=x", "page=-1", "per_page=7", "sort=nope"])
    def test_nonsense_in_the_address_is_no_error(self, query, browser, three):
        response = browser.get(f"{DATASETS}?{query}")
        assert response.status_code == 200
        assert len(names(response)) == 3

    @pytest.mark.parametrize("count", [2, 20])
    def test_statements_do_not_grow_with_the_rows(
        self, count, alice, org_b, session_of, django_assert_num_queries
    ):
        for number in range(count):
            dataset = make_dataset(alice, permissions=only_to(B), name=f"d{number}")
            make_samples(alice, dataset.pk)
        browser = session_of(alice)
        for url in (DATASETS, SAMPLES):
            # Session, user, organisations to filter by, how many, rows, and what two columns count.
            with django_assert_num_queries(7):
                assert browser.get(url).status_code == 200


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Bones", "Scans", "Blood"]),
        ("q=bLo", ["Blood"]),
        ("q=images", ["Bones", "Scans"]),
        ("owner=MyOrg1MSP", ["Scans", "Blood"]),
        ("usable=on", ["Bones", "Blood"]),
        ("metadata=a", ["Bones", "Scans"]),
        ("metadata=a%3D1", ["Scans"]),
        ("owner=MyOrg1MSP&q=scans", ["Scans"]),
        ("after=2000-01-01", ["Bones", "Scans", "Blood"]),
        ("before=2000-01-01", []),
        ("sort=name", ["Blood", "Bones", "Scans"]),
        ("sort=-name", ["Scans", "Bones", "Blood"]),
        ("sort=type&sort=name", ["Bones", "Scans", "Blood"]),
        ("per_page=25&page=2", ["Bones", "Scans", "Blood"]),
    ],
)
def test_filters_and_order_of_datasets(query, found, browser, three):
    assert names(browser.get(f"{DATASETS}?{query}")) == found


def test_a_day_has_all_its_hours(alice, browser):
    moments = {"late": (1, 23, 59), "first": (2, 0, 0), "last": (2, 23, 59), "early": (3, 0, 0)}
    dataset = make_dataset(alice)
    for name, (day, hour, minute) in moments.items():
        when = datetime(2026, 3, day, hour, minute, tzinfo=UTC)
        # What is registered cannot change, so copies of it are made.
        dataset.key, dataset.name, dataset.creation_date = uuid4(), name, when
        dataset.save(force_insert=True)
    of_day = browser.get(f"{DATASETS}?before=2026-03-02&after=2026-03-02")
    assert names(of_day) == ["last", "first"]


def test_datasets_of_a_sample(alice, browser, three):
    [sample] = make_samples(alice, three[0].pk, three[1].pk)
    response = browser.get(f"{DATASETS}?data_sample_key={sample.pk}")
    assert set(names(response)) == {"Blood", "Scans"}


def test_a_filter_that_holds_is_a_chip_that_takes_it_away(browser, three):
    html_of = browser.get(f"{DATASETS}?q=s&owner=MyOrg1MSP&sort=name&page=2")
    chips = {label: (value, parse_qs(query)) for label, value, query in html_of.context["chips"]}
    assert chips["Search"] == ("s", {"owner": ["MyOrg1MSP"], "sort": ["name"]})
    assert chips["Owner"] == ("MyOrg1MSP", {"q": ["s"], "sort": ["name"]})


def test_pages_follow_each_other(browser, alice):
    for number in range(30):
        make_dataset(alice, name=f"{number:02}")
    first, second = (browser.get(f"{DATASETS}?sort=name&per_page=25&page={n}") for n in (1, 2))
    assert names(first) + names(second) == [f"{number:02}" for number in range(30)]
    assert "1 to 25 of 30" in body(first)


def test_columns_of_the_address_and_of_ones_choice(browser, three):
    def headers(url: str) -> list[str]:
        table = browser.get(url).context["table"]
        return [column.name for column in table.columns]

    usual = headers(DATASETS)
    assert usual == ["name", "type", "owner", "permissions", "samples", "tasks", "creation_date"]
    assert headers(f"{DATASETS}?columns=key,metadata") == ["key", "metadata"]
    assert headers(f"{DATASETS}?columns=nope") == usual


def test_counts_of_samples_and_tasks(alice, browser, three):
    samples = make_samples(alice, three[0].pk, count=3)
    function = make_function(alice)
    make_plan(alice, *(training_task(three[0], samples, function) for _ in range(2)))
    [other] = make_samples(alice, three[1].pk)
    rows = csv.DictReader(io.StringIO(body(browser.get(f"{DATASETS}?export=csv"))))
    counts = {row["Name"]: (row["Samples"], row["Tasks"]) for row in rows}
    assert counts == {"Blood": ("3", "2"), "Scans": ("1", "0"), "Bones": ("0", "0")}
    rows = csv.DictReader(io.StringIO(body(browser.get(f"{SAMPLES}?export=csv"))))
    tasks = {row["Key"]: row["Tasks"] for row in rows}
    assert tasks == {**{str(sample.pk): "2" for sample in samples}, str(other.pk): "0"}


class TestExports:
    def test_csv_has_what_the_filters_keep(self, browser, three):
        response = browser.get(f"{DATASETS}?export=csv&owner=MyOrg1MSP&sort=name&columns=name,key")
        assert response["Content-Disposition"] == 'attachment; filename="datasets.csv"'
        rows = list(csv.reader(io.StringIO(body(response))))
        assert rows == [
            ["Name", "Key"],
            ["Blood", str(three[0].pk)],
            ["Scans", str(three[1].pk)],
        ]

    def test_json(self, browser, three):
        response = browser.get(
            f"{DATASETS}?export=json&sort=name&columns=name,permissions,metadata"
        )
        assert response["Content-Type"] == "application/json"
        found = json.loads(body(response))
        assert [row["name"] for row in found] == ["Blood", "Bones", "Scans"]
        assert found[0]["permissions"] == "public"
        assert found[2] == {
            "name": "Scans",
            "permissions": "MyOrg1MSP",
            "metadata": "a: 1",
        }

    @pytest.mark.parametrize("kind", ["csv", "json"])
    def test_nothing_is_exported_as_well(self, kind, browser):
        text = body(browser.get(f"{DATASETS}?export={kind}"))
        assert json.loads(text) == [] if kind == "json" else len(text.splitlines()) == 1

    @pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", '=cmd|"/c calc"!A1'])
    def test_a_name_that_looks_like_a_formula_stays_a_text(self, name, alice, browser):
        make_dataset(alice, name=name, type="=2", metadata={"=k": "v"})
        text = body(browser.get(f"{DATASETS}?export=csv&columns=name,type,metadata"))
        assert list(csv.reader(io.StringIO(text)))[1] == [f"'{name}", "'=2", "'=k: v"]
        # JSON is for programs.
        found = json.loads(body(browser.get(f"{DATASETS}?export=json&columns=name")))
        assert found == [{"name": name}]

    def test_an_unknown_kind_is_the_page(self, browser, three):
        assert not browser.get(f"{DATASETS}?export=xml").streaming

    @pytest.mark.parametrize("url", [DATASETS, SAMPLES])
    def test_all_rows_a_few_statements_at_a_time(
        self, url, alice, browser, django_assert_max_num_queries
    ):
        dataset = make_dataset(alice)
        make_samples(alice, dataset.pk, count=60)
        with django_assert_max_num_queries(8):
            text = body(browser.get(f"{url}?export=csv"))
        assert len(text.splitlines()) == (2 if url == DATASETS else 61)


class TestSamples:
    @pytest.fixture
    def theirs(self, alice, three) -> list[DataSample]:
        return make_samples(alice, three[0].pk, three[1].pk, count=2)

    def test_the_samples_of_a_dataset(self, alice, browser, three, theirs):
        other = make_samples(alice, three[1].pk)
        response = browser.get(f"{SAMPLES}?dataset_key={three[0].pk}")
        assert keys(response) == {sample.pk for sample in theirs}
        # Its name says more than its key.
        [(label, value, _)] = response.context["chips"]
        assert (label, value) == ("Dataset", "Blood")
        both = browser.get(f"{SAMPLES}?dataset_key={three[1].pk}")
        assert keys(both) == {sample.pk for sample in [*theirs, *other]}

    @pytest.mark.parametrize("key", ["nonsense", "00000000-0000-0000-0000-000000000000"])
    def test_the_samples_of_no_dataset(self, key, browser, theirs):
        response = browser.get(f"{SAMPLES}?dataset_key={key}")
        assert keys(response) == set()
        assert response.context["chips"][0][1] == key

    def test_registering_goes_on_with_the_dataset(self, alice, session_of, three, theirs):
        html = body(session_of(alice).get(f"{SAMPLES}?dataset_key={three[0].pk}"))
        assert f'href="/data-samples/new/?dataset={three[0].pk}"' in html
        assert f'href="/data-samples/link/?dataset={three[0].pk}"' in html

    def test_what_comes_from_the_address_is_no_part_of_a_link(self, alice, session_of, theirs):
        html = body(session_of(alice).get(f"{SAMPLES}?dataset_key=%22%3E%3Cscript%3Ex"))
        assert "<script>x" not in html

    def test_by_owner_and_key(self, bob, browser, three, theirs):
        [own] = make_samples(bob, three[2].pk)
        assert keys(browser.get(f"{SAMPLES}?owner={B}")) == {own.pk}
        assert keys(browser.get(f"{SAMPLES}?q={theirs[0].pk}")) == {theirs[0].pk}

    def test_their_size_is_shown_to_the_owner_only(self, alice, bob, session_of, theirs):
        query = f"{SAMPLES}?export=json&columns=size"
        sizes = {who: json.loads(body(session_of(who).get(query))) for who in (alice, bob)}
        assert [row["size"] for row in sizes[alice]] == [sample.size for sample in theirs]
        assert [row["size"] for row in sizes[bob]] == [None, None]
        assert "bytes" in body(session_of(alice).get(f"{SAMPLES}?columns=size"))
        assert "bytes" not in body(session_of(bob).get(f"{SAMPLES}?columns=size"))


def test_the_address_of_a_page_keeps_what_is_seen(browser, three):
    html = body(browser.get(f"{DATASETS}?owner=MyOrg1MSP&sort=name"))
    exports = [part.split('"')[0] for part in html.split('href="') if "export=csv" in part[:200]]
    query = parse_qs(urlsplit(exports[0].replace("&amp;", "&")).query)
    assert query == {"owner": ["MyOrg1MSP"], "sort": ["name"], "export": ["csv"]}


class TestWhatIsNoFilter:
    @pytest.mark.parametrize(
        ("params", "message"),
        [
            ({"colour": "red"}, "The filter &quot;colour&quot; is ignored"),
            ({"name": "Blood"}, "The filter &quot;name&quot; is ignored"),
            ({"owner": "unknown"}, "Owner &quot;unknown&quot; is ignored"),
            ({"after": "soon"}, "Registered since &quot;soon&quot; is ignored"),
        ],
        ids=str,
    )
    def test_the_page_says_that_it_is_ignored(self, params, message, three, browser):
        page = browser.get(DATASETS, {"q": "Blood", "sort": "name", **params})
        assert message in page.content.decode()
        assert names(page) == ["Blood"]
        assert [label for label, _, _ in page.context["chips"]] == ["Search"]
        part = browser.get(DATASETS, params, headers={"HX-Target": "results-table"})
        assert message in part.content.decode()

    def test_an_export_is_refused(self, three, browser):
        page = browser.get(DATASETS, {"colour": "red", "export": "csv"})
        assert page.status_code == 400
        assert "The filter &quot;colour&quot; is ignored" in page.content.decode()

    def test_nothing_is_ignored_of_what_pages_link_to(self, three, browser):
        for query in ("q=Blood&page=1&per_page=50&columns=name", "usable=on&metadata=a&export="):
            assert not browser.get(f"{DATASETS}?{query}").context["ignored"]
