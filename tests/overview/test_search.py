"""The search: by key, by the beginning of one, and by name; in full and while one types."""

import re
from uuid import UUID

import pytest
from django.urls import reverse

from assets.overview.search import key_range
from tests.builders import (
    make_dataset,
    make_function,
    make_model,
    make_one_of_each,
    make_plan,
    make_samples,
    training_task,
)

pytestmark = pytest.mark.postgresql

URL = reverse("search")


@pytest.fixture
def assets(alice):
    """One asset of each kind, by the name of its page."""
    return make_one_of_each(
        alice, dataset="Blood counts", function="Train a forest", compute_plan="Study of 2024"
    )


@pytest.fixture
def search(session_of, alice):
    def get(term, *, short=False, user=alice):
        headers = {"HX-Request": "true"} if short else {}
        return session_of(user).get(URL, {"q": term}, headers=headers)

    return get


def links(response):
    """The pages that what was found leads to, but those of frame and heading."""
    content = response.content.decode().split('id="content"')[-1]
    return re.findall(r'<li><a href="([^"]+)"', content)


def page_of(assets, name):
    return reverse(name, args=[assets[name].pk])


def test_strangers_sign_in_first(client):
    response = client.get(URL, {"q": "blood"})
    assert response.status_code == 302
    assert response.url.startswith(reverse("sign-in"))


def test_no_one_sends_anything(session_of, alice):
    assert session_of(alice).post(URL).status_code == 405


# --- By key --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["dataset", "data-sample", "function", "compute-plan", "task"])
@pytest.mark.parametrize(
    "spelled",
    [str, lambda key: key.hex, lambda key: str(key).upper(), lambda key: f" {key} "],
    ids=["hyphens", "hex", "capitals", "spaces"],
)
def test_whole_key_leads_to_its_asset(search, assets, name, spelled):
    response = search(spelled(assets[name].pk))
    assert (response.status_code, response.headers.get("Location")) == (302, page_of(assets, name))


@pytest.mark.parametrize("name", ["dataset", "data-sample", "function", "compute-plan", "task"])
@pytest.mark.parametrize("length", [4, 8, 9, 13, 23, 35])
def test_beginning_of_a_key_finds_its_asset(search, assets, name, length):
    response = search(str(assets[name].pk)[:length])
    assert response.status_code == 200
    assert page_of(assets, name) in links(response)


def test_three_digits_are_no_key(search, assets):
    assert page_of(assets, "task") not in links(search(assets["task"].pk.hex[:3]))


def test_model_leads_to_its_task(search, assets):
    model = make_model(assets["task"].pk)
    assert links(search(model.pk.hex[:10])) == [page_of(assets, "task")]
    assert search(model.pk.hex).headers["Location"] == page_of(assets, "task")


def test_key_of_two_assets_leads_to_neither(search, assets, alice):
    twin = make_plan(alice, key=assets["dataset"].pk)
    response = search(str(twin.pk))
    assert response.status_code == 200
    assert set(links(response)) == {
        page_of(assets, "dataset"),
        reverse("compute-plan", args=[twin.pk]),
    }


def test_while_typing_no_one_is_sent_away(search, assets):
    response = search(str(assets["dataset"].pk), short=True)
    assert response.status_code == 200
    assert links(response) == [page_of(assets, "dataset")]


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("abcd", "abcd0000-0000-0000-0000-000000000000", "abcdffff-ffff-ffff-ffff-ffffffffffff"),
        ("ABCD-", "abcd0000-0000-0000-0000-000000000000", "abcdffff-ffff-ffff-ffff-ffffffffffff"),
        ("abc", None, None),
        ("abcg", None, None),
        ("٣٣٣٣", None, None),
        ("a" * 33, None, None),
        ("", None, None),
    ],
)
def test_key_range(text, first, last):
    assert key_range(text) == (first and (UUID(first), UUID(last)))


# --- By name -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("term", "name"),
    [
        ("BLOOD", "dataset"),
        ("counts blood", "dataset"),
        ("forest", "function"),
        ("2024", "compute-plan"),
    ],
)
def test_names_in_any_case(search, assets, term, name):
    assert links(search(term)) == [page_of(assets, name)]


@pytest.mark.parametrize("term", ["myorg1", "First hosp"])
def test_organisations_by_id_and_name(search, org_a, term):
    assert links(search(term)) == [reverse("organization", args=["MyOrg1MSP"])]


def test_users_are_not_searched(search, ada):
    assert not links(search("ada"))


def test_everybody_finds_everything(search, assets, victor, bob, root):
    for user in (victor, bob, root):
        assert links(search("blood", user=user)) == [page_of(assets, "dataset")]


def test_many_matches_lead_to_the_list(search, alice):
    for number in range(9):
        make_dataset(alice, name=f"Scan {number} & more")
    response = search("scan &")
    assert len(links(response)) == 8
    assert "All 9 results" in response.content.decode()
    assert f'href="{reverse("datasets")}?q=scan+%26"' in response.content.decode()

    assert len(links(search("scan", short=True))) == 3 + 1


# --- Odd input -----------------------------------------------------------------------------------


@pytest.mark.parametrize("term", ["", "  ", "\0"])
def test_nothing_to_search_for(search, term):
    assert "What are you looking for?" in search(term).content.decode()
    assert not search(term, short=True).content.strip()


ODD = {
    "unknown": "zzz",
    "NUL": "zzz\0zzz",
    "wildcards": "_%\\",
    "quote": 'zzz"',
    "statement": "'; --",
    "mark": "<script>",
    "long": "é" * 5000,
    "many": "zzz " * 3000,
    "beyond": "🦑",
    "braces": "{}{}",
}


@pytest.mark.parametrize("term", ODD.values(), ids=ODD)
@pytest.mark.parametrize("short", [False, True])
def test_odd_input_finds_nothing(search, assets, term, short):
    response = search(term, short=short)
    assert response.status_code == 200
    assert ("No results for" if not short else "suggestion-none") in response.content.decode()
    assert "<script>" not in response.content.decode().split("</head>")[-1]


def test_what_is_no_text_finds_nothing(session_of, alice):
    response = session_of(alice).get(f"{URL}?q=%ED%A0%80%FF")
    assert response.status_code == 200
    assert "No results" in response.content.decode()


def test_answers_in_short_are_kept_apart(search, assets):
    for short in (False, True):
        response = search("blood", short=short)
        assert "HX-Request" in response.headers["Vary"]
        assert ("<html" in response.content.decode()) == (not short)


# --- Queries -------------------------------------------------------------------------------------


# Of a kind with more than the page shows, one more counts them.
@pytest.mark.parametrize(
    ("term", "count", "queries"),
    [("set", 2, 6), ("set", 20, 7), ("set", 40, 7), ("beef", 2, 9), ("beef", 20, 11), ("", 20, 2)],
)
def test_queries_do_not_grow(session_of, alice, term, queries, count, django_assert_num_queries):
    dataset = make_dataset(alice, name="Set")
    samples = make_samples(alice, dataset.key)
    function = make_function(alice)
    for number in range(count):
        make_dataset(alice, name=f"Beef set {number}")
        key = UUID(f"beef{number:028x}")
        make_plan(alice, training_task(dataset, samples, function, key=key))
    browser = session_of(alice)
    with django_assert_num_queries(queries):
        browser.get(URL, {"q": term})
