"""Hostile archives at every interface: refused by name with nothing left, or shown harmlessly."""

import pytest

from assets.datasets.models import DataSample
from assets.functions.models import Function
from assets.uploads.models import Upload
from tests.pages.test_attacks import Marks
from tests.rules.cases import everything

from .hostile import HARMLESS, LARGE, REFUSED

pytestmark = pytest.mark.django_db

# What takes an archive, and how its field is called on the wire and in forms.
KINDS = {"sample": ("part", "archives"), "function": ("file", "file")}
REFUSALS = {"API": 400, "page": 422, "admin": 200, "ahead": 422}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_by_name_and_nothing_is_left(interfaces, name, kind):
    make, phrase = REFUSED[name]
    wire, field = KINDS[kind]
    data, before = make(), everything()
    for interface, answer in interfaces.each(kind, wire, data):
        assert answer.status == REFUSALS[interface], interface
        assert [place for place, _ in answer.faults] == [wire if interface == "API" else field], (
            interface
        )
        assert phrase.lower() in answer.faults[0][1].lower(), interface
        assert len(answer.response.content) < 100_000, interface
    assert everything() == before
    assert not Upload.objects.filter(name=f"{wire}.bin").exists()


@pytest.mark.parametrize("name", HARMLESS)
def test_it_is_accepted_and_shown_as_what_it_is(interfaces, name):
    data = HARMLESS[name]()
    for kind, (wire, _) in KINDS.items():
        for interface, answer in interfaces.each(kind, wire, data):
            assert answer.accepted, (interface, answer.faults)
    for row, url in ((DataSample, "data-samples"), (Function, "functions")):
        rows = row.objects.all()
        assert len(rows) == 3
        with rows[0].archive.open() as file:
            assert file.read() == data
        page = interfaces.browser.get(f"/{url}/{rows[0].key}/")
        assert page.status_code == 200
        assert not Marks(page.content.decode()).found


@pytest.mark.parametrize("name", ["zip of 100,001 entries", "tar that unpacks to 2 GB"])
def test_a_large_one_is_refused(interfaces, name):
    make, phrase = LARGE[name]
    before = everything()
    _, answer = next(interfaces.each("sample", "part", make()))
    assert answer.status == 400
    assert phrase in answer.faults[0][1]
    assert everything() == before
