"""The asset picker: what it offers, what it finds, and that nothing chosen is lost."""

import re

import pytest
from django import forms
from django.http import QueryDict

from assets.common.forms.fields import AssetField, OwnAssetsField
from assets.common.forms.pickers import AssetPicker
from assets.datasets.models import DataSample, Dataset
from assets.datasets.queries import sample_notes
from tests.builders import make_dataset, make_samples


class ManyForm(forms.Form):
    picked = OwnAssetsField(
        Dataset.objects.all(), required=False, widget=AssetPicker(multiple=True, limit=2)
    )


class OneForm(forms.Form):
    picked = AssetField(Dataset.objects.all(), required=False, widget=AssetPicker(none="nothing"))


class SamplesForm(forms.Form):
    picked = OwnAssetsField(
        DataSample.objects.all(),
        widget=AssetPicker(multiple=True, search=("datasets__name",), notes=sample_notes),
    )


@pytest.fixture
def named(alice) -> dict[str, Dataset]:
    """Five datasets, the last the newest."""
    return {
        name: make_dataset(alice, name=name) for name in ("ada", "bert", "cleo", "dora", "emil")
    }


def shown(form: forms.Form) -> list[tuple[str, bool]]:
    """Return the beginning of each label, and whether it is ticked."""
    found = re.findall(r'value="([^"]*)"( checked)?> <span>(\w+)', str(form["picked"]))
    return [(label, bool(ticked)) for _, ticked, label in found]


def test_the_newest_are_offered(named):
    form = ManyForm()
    assert shown(form) == [("emil", False), ("dora", False)]
    assert "The newest 2 are shown" in str(form["picked"])


def test_what_is_chosen_comes_first_and_is_always_there(named):
    keys = f"picked={named['ada'].pk}&picked={named['emil'].pk}"
    assert shown(ManyForm(QueryDict(keys))) == [
        ("emil", True),
        ("ada", True),
        ("dora", False),
        ("cleo", False),
    ]
    initial = {"picked": [named["ada"]]}
    assert shown(ManyForm(initial=initial))[0] == ("ada", True)
    assert shown(ManyForm(initial={"picked": [str(named["ada"].pk)]}))[0] == ("ada", True)


@pytest.mark.parametrize(
    ("term", "found"),
    [("CLEO", ["cleo"]), ("er", ["bert"]), ("e r", ["bert"]), ("d", ["dora", "ada"]), ("zz", [])],
)
def test_a_search_finds_names(term, found, named):
    form = ManyForm(QueryDict(f"picked-search={term}"))
    assert [label for label, _ in shown(form)] == found


def test_a_search_finds_keys_by_a_part_that_says_something(named):
    key = str(named["ada"].pk)
    assert [name for name, _ in shown(ManyForm(QueryDict(f"picked-search={key}")))] == ["ada"]
    assert ("ada", False) in shown(ManyForm(QueryDict(f"picked-search={key[:8]}")))


def test_a_search_loses_nothing_that_is_chosen(named):
    form = ManyForm(QueryDict(f"picked-search=zz&picked={named['ada'].pk}"))
    assert shown(form) == [("ada", True)]
    assert form.is_valid()
    assert list(form.cleaned_data["picked"]) == [named["ada"]]


def test_one_is_a_choice_of_one_or_none(named):
    html = str(OneForm()["picked"])
    assert html.count('type="radio"') == 6
    assert shown(OneForm())[0] == ("nothing", True)
    form = OneForm(QueryDict(f"picked={named['bert'].pk}"))
    assert shown(form)[:2] == [("nothing", False), ("bert", True)]
    assert form.is_valid()
    assert form.cleaned_data["picked"] == named["bert"]
    OneForm.base_fields["picked"].required = True
    try:
        form = OneForm()
        form.fields["picked"].widget.is_required = True
        assert "nothing" not in str(form["picked"])
    finally:
        OneForm.base_fields["picked"].required = False


@pytest.mark.parametrize("value", ["nonsense", "00000000-0000-0000-0000-000000000000"])
def test_what_cannot_be_chosen_is_refused_and_not_shown(value, named):
    form = ManyForm(QueryDict(f"picked={value}"))
    assert not form.is_valid()
    assert not any(ticked for _, ticked in shown(form))


def test_samples_are_found_by_their_dataset(alice, named):
    samples = make_samples(alice, named["ada"].pk, named["bert"].pk, count=2)
    make_samples(alice, named["cleo"].pk)
    html = str(SamplesForm(QueryDict("picked-search=ada"))["picked"])
    assert html.count('type="checkbox"') == 2
    assert all(html.count(str(sample.pk)) == 2 for sample in samples)
    assert "<small>ada, 20" in html


def test_nothing_to_choose_is_shown(db):
    assert "nothing to choose from yet" in str(ManyForm()["picked"])
    form = ManyForm(QueryDict("picked-search=<b>"))
    assert "No results for “&lt;b&gt;”" in str(form["picked"])


@pytest.mark.parametrize("count", [2, 20])
def test_statements_do_not_grow_with_the_rows(count, alice, django_assert_num_queries):
    datasets = [make_dataset(alice, name=f"d{n}") for n in range(count)]
    make_samples(alice, datasets[0].pk, count=count)
    form = ManyForm(initial={"picked": datasets[: count // 2]})
    with django_assert_num_queries(2):
        str(form["picked"])
    with django_assert_num_queries(2):
        str(SamplesForm()["picked"])
