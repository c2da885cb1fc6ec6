"""Names are found and ordered whatever the case and the encoding of their letters, everywhere."""

import json
from unicodedata import normalize

import pytest

from assets.accounts.registration.organizations import create_organization
from assets.accounts.registration.users import create_user
from assets.common.text.folding import folded, order_key
from tests.builders import make_dataset, make_function, make_plan
from tests.rules.world import A

pytestmark = pytest.mark.postgresql

NFD = normalize("NFD", "Étude")


@pytest.mark.parametrize(
    ("one", "other"),
    [("ÉTUDE", NFD), ("Straße", "STRASSE"), ("ΟΔΟΣ", "οδος"), ("ДАННЫЕ", "данные"), ("ABC", "abc")],
)
def test_folded_alike(one, other):
    assert folded(one) == folded(other)


def test_accents_differ():
    assert folded("Étude") != folded("Etude")


def test_order():
    names = ["Ähre", "alpha", "Alpha beta", "Beta", "énorme", "Øl", "Zulu", "zulu"]
    assert sorted(sorted(names), key=order_key) == names


# Each word finds the name, or nothing does.
FOUND = {
    "Étude": ("étude", "ÉTUDE", NFD, normalize("NFD", "ÉTUDE"), "ude"),
    NFD: ("étude", "ÉTUDE", NFD),
    "Köln_1": ("KÖLN", "köln_", "KÖLN_1"),
    "Данные": ("данные", "ДАНН"),
}
MISSED = ("etude", "koln", "köln%", "k_ln")


@pytest.fixture
def named(alice) -> list[str]:
    for name in FOUND:
        make_dataset(alice, name=name, type=name)
        make_plan(alice, name=name, tag=name, metadata={name: f"Hôpital {name}"})
    make_function(alice, name="Étude")
    return list(FOUND)


def _plans(client, **params) -> set[str]:
    return {row["name"] for row in client.get("/api/compute_plan/", params).json()["results"]}


def test_match(named, alice, client_of):
    api = client_of(alice)
    for name, words in FOUND.items():
        for word in words:
            assert name in _plans(api, match=word), (name, word)
    for word in MISSED:
        assert not _plans(api, match=word), word


def test_metadata(named, alice, client_of):
    api = client_of(alice)
    for kind, value in (("contains", "HÔPITAL"), ("contains", "étu"), ("is", f"Hôpital {NFD}")):
        condition = [{"key": "Étude", "type": kind, "value": value}]
        assert _plans(api, metadata=json.dumps(condition)), (kind, value)
    condition = [{"key": "Étude", "type": "is", "value": "hôpital étude"}]
    assert not _plans(api, metadata=json.dumps(condition))


def _rows(page) -> str:
    """The page without the filters beside its list."""
    return page.content.decode().partition('id="changelist-filter"')[0]


@pytest.mark.parametrize(
    "url",
    [
        "/datasets/?q={}",
        "/compute-plans/?q={}",
        "/search/?q={}",
        "/activity/?q={}",
        "/admin/assets/dataset/?q={}",
        "/admin/assets/computeplan/?q={}",
        "/admin/assets/event/?q={}",
    ],
)
def test_pages(url, named, ada, session_of):
    browser = session_of(ada)
    for word in ("köln_", "KÖLN"):
        assert ">Köln_1<" in _rows(browser.get(url.format(word)))
    assert ">Köln_1<" not in _rows(browser.get(url.format("koln")))


def test_users_and_organisations(root, session_of):
    create_user("Zoë", organization=create_organization("Org1", name="Hôpital"))
    browser = session_of(root)
    for url in ("/users/?q=ZOË", "/admin/assets/user/?q=zoË"):
        assert "Zoë" in browser.get(url).content.decode()
    for url in ("/organisations/?q=HÔP", "/admin/assets/organization/?q=hôp"):
        assert "Org1" in browser.get(url).content.decode()


def test_a_new_name_is_found(alice, client_of):
    dataset = make_dataset(alice, name="Old")
    api = client_of(alice)
    api.put(f"/api/data_manager/{dataset.key}/", {"name": "Äther"}, format="json")
    assert api.get("/api/data_manager/", {"match": "äTHER"}).json()["count"] == 1
    assert api.get("/api/data_manager/", {"match": "old"}).json()["count"] == 0


ORDER = ["Ähre", "alpha", "Beta", "énorme", "Zulu"]


def test_lists_by_name(alice, ada, client_of, session_of):
    for name in sorted(ORDER):
        make_dataset(alice, name=name)
        create_user(name, organization=alice.organization)
        create_organization(f"{name[-3:]}{ORDER.index(name)}", name=f"{name}-house")
    api, browser = client_of(ada), session_of(ada)
    rows = api.get("/api/data_manager/", {"ordering": "name"}).json()["results"]
    assert [row["name"] for row in rows] == ORDER
    # Page by page, as cursors lead.
    url, paged = "/api/data_manager/?ordering=-name&page_size=2", []
    while url:
        answer = api.get(url).json()
        paged += [row["name"] for row in answer["results"]]
        url = answer["next"]
    assert paged == ORDER[::-1]
    users = api.get("/api/users/", {"ordering": "username"}).json()["results"]
    assert [row["username"] for row in users if row["username"] in ORDER] == ORDER
    for url in (
        "/datasets/?sort=name",
        "/users/?sort=username",
        "/organisations/?sort=name",
        "/activity/?sort=asset",
        "/admin/assets/dataset/?o=0",
        "/admin/assets/user/",
        "/admin/assets/organization/?o=1",
        "/admin/assets/event/?o=6",
    ):
        page = browser.get(url).content.decode()
        assert sorted(ORDER, key=lambda name: page.index(f">{name}")) == ORDER, url


def test_a_name_with_a_comma(alice, client_of):
    api = client_of(alice)
    for name in ("Blood, counts", "Scans", '6" scans', '"quoted"', NFD):
        make_plan(alice, name=name, tag=A)
    assert _plans(api, name='"Blood, counts"') == {"Blood, counts"}
    assert _plans(api, name='"Blood, counts",Scans') == {"Blood, counts", "Scans"}
    assert _plans(api, name='6" scans,Scans') == {'6" scans', "Scans"}
    assert _plans(api, name='"""quoted"""') == {'"quoted"'}
    assert _plans(api, name='"Scans') == set()
    assert _plans(api, name="Étude") == {NFD}
