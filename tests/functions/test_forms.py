"""The form that registers a function, with its rows of inputs and outputs."""

import pytest
from django.test import Client

from assets.feed.forms import RenameForm
from assets.functions.forms import FunctionForm
from assets.functions.models import Function
from tests.admin.interface import AdminInterface, named, rows, slot
from tests.builders import MODEL_INPUT, OPENER_INPUT, SAMPLES_INPUT, function_spec, make_function

BLANK = {"identifier": "", "kind": "ASSET_MODEL"}


def form_of(actor, spec=None, **changes) -> FunctionForm:
    """The form as a page fills it: texts in one place, files in the other."""
    _, data = AdminInterface(Client).form(spec or function_spec())
    for list_ in {name.partition("-")[0] for name in changes if "-" in name}:
        data = {name: value for name, value in data.items() if not name.startswith(list_)}
    files = {name: data.pop(name) for name in ("file", "description") if name in data}
    return FunctionForm({**data, **changes}, files, actor=actor)


def test_it_registers(alice):
    form = form_of(alice)
    assert form.is_valid(), form.errors
    function = form.save()
    assert Function.objects.get() == function
    assert [row.identifier for row in function.inputs.all()] == ["opener", "datasamples", "shared"]
    assert [row.identifier for row in function.outputs.all()] == ["model"]


def test_an_unbound_form_has_a_row_of_each(alice):
    form = FunctionForm(actor=alice)
    assert not form.is_valid()
    assert [len(form.formsets[name].forms) for name in ("inputs", "outputs")] == [1, 1]
    assert form.formsets["inputs"].management_form["TOTAL_FORMS"].value() == 1


def test_rows_that_are_blank_or_removed_do_not_count(alice):
    items = [slot(OPENER_INPUT), BLANK, slot(MODEL_INPUT), slot(SAMPLES_INPUT)]
    items[2]["DELETE"] = "on"
    form = form_of(alice, **rows("inputs", items))
    assert form.is_valid(), form.formsets["inputs"].errors
    assert [item.identifier for item in form.spec.inputs] == ["opener", "datasamples"]


def test_a_problem_counts_the_rows_that_are_left(alice):
    items = [BLANK, {"identifier": "", "kind": "ASSET_MODEL", "multiple": "on"}]
    form = form_of(alice, **rows("inputs", items))
    assert not form.is_valid()
    assert form.formsets["inputs"].errors[0] == {}
    assert "Cannot be blank" in form.formsets["inputs"].errors[1]["identifier"][0]


def test_a_rule_about_all_rows_is_shown_above_them(alice):
    form = form_of(alice, function_spec(inputs=(OPENER_INPUT,)))
    assert not form.is_valid()
    (message,) = form.formsets["inputs"].non_form_errors()
    assert "needs a data sample input" in message
    assert not form.errors
    assert not Function.objects.exists()


@pytest.mark.parametrize("identifier", ["a.b", "a.kind", "a[0]", "inputs", "i" * 101])
def test_identifiers_of_any_kind_find_their_row(identifier, alice):
    items = [{"identifier": "a", "kind": "ASSET_MODEL"}, {"identifier": identifier, "kind": "x"}]
    form = form_of(alice, **rows("inputs", items))
    assert not form.is_valid()
    first, second = form.formsets["inputs"].errors
    assert not first
    assert "Invalid kind" in second["kind"][0]


def test_everything_that_is_wrong_is_shown_at_once(alice):
    form = form_of(alice, name="", metadata="no colon", **rows("outputs", [{"kind": "x"}]))
    form.files.clear()
    assert not form.is_valid()
    assert set(form.errors) == {"name", "metadata", "file", "description"}
    assert form.errors["metadata"] == ['Line 1: write "no colon" as "key: value".']
    assert set(form.formsets["outputs"].errors[0]) == {"identifier", "kind"}


def test_lists_that_were_not_sent_are_not_taken_for_empty(alice):
    form = form_of(alice)
    for name in ("inputs-TOTAL_FORMS", "outputs-INITIAL_FORMS"):
        del form.data[name]
    assert not form.is_valid()
    assert not Function.objects.exists()


def test_files_are_named_like_uploads(alice):
    assert named(function_spec().file).name == "function.zip"


@pytest.mark.parametrize(("name", "valid"), [("New", True), ("", False), ("n" * 101, False)])
def test_renaming(name, valid, alice):
    function = make_function(alice)
    form = RenameForm({"name": name}, actor=alice, asset=function)
    assert form["name"].initial == "Train"
    assert form.is_valid() == valid
    assert function.name == "Train"
    if valid:
        assert form.save().name == "New"


def test_only_the_owner_renames(alice, bob):
    form = RenameForm({"name": "New"}, actor=bob, asset=make_function(alice))
    assert not form.is_valid()
    assert "only its owner" in form.non_field_errors()[0].lower()
