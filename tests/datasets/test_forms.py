"""The forms that register datasets and data samples, and that link samples."""

import pytest
from django.utils.datastructures import MultiValueDict

from assets.common.forms.problem_form import MAX_MESSAGES
from assets.datasets.forms import DataSampleForm, DatasetForm, LinkSamplesForm
from assets.datasets.models import DataSample, Dataset
from tests.builders import make_dataset, make_samples, upload, zip_of

ZIP = zip_of({"data.csv": b"1"})


def samples_form(actor, *uploads, **data) -> DataSampleForm:
    return DataSampleForm(data, MultiValueDict({"archives": list(uploads)}), actor=actor)


def test_a_dataset_is_registered(alice):
    files = {"data_opener": upload(b"x", "opener.py"), "description": upload(b"y", "y.md")}
    form = DatasetForm({"name": " Scans ", "type": "images"}, files, actor=alice)
    assert form.is_valid(), form.errors
    form.save()
    dataset = Dataset.objects.get()
    assert (dataset.name, dataset.type) == ("Scans", "images")


def test_all_that_is_missing_is_listed_at_once(alice):
    form = DatasetForm({}, {}, actor=alice)
    assert not form.is_valid()
    assert set(form.errors) == {"name", "type", "data_opener", "description"}
    # Type is the one that only people must give; the others are reported by the rules.
    assert form.errors["type"] == ['Enter the type of the data, such as "images".']
    assert form.errors["data_opener"] == ["Missing file. Choose a file to upload."]


def test_required_fields_are_marked(alice):
    form = DatasetForm(actor=alice)
    marked = {name for name, field in form.fields.items() if field.required}
    assert marked == {"name", "type", "data_opener", "description"}


def test_files_are_distinguished_by_name(alice):
    dataset = make_dataset(alice)
    uploads = upload(ZIP, "good.zip"), upload(b"text", "bad.zip"), upload(b"", "path")
    form = samples_form(alice, *uploads, datasets=[dataset.key])
    assert not form.is_valid()
    first, second = form.errors["archives"]
    assert first.startswith("bad.zip: Not a readable zip or tar archive")
    assert second.startswith("path: The file is empty")
    assert not DataSample.objects.exists()


def test_files_of_one_name_are_samples_each(alice):
    dataset = make_dataset(alice)
    form = samples_form(alice, upload(ZIP, "a.zip"), upload(ZIP, "a.zip"), datasets=[dataset.key])
    assert form.is_valid(), form.errors
    assert len(form.save()) == 2


def test_only_own_datasets_are_offered(alice, bob):
    own, other = make_dataset(alice), make_dataset(bob)
    form = samples_form(alice, upload(ZIP), datasets=[own.key, other.key])
    assert list(form.fields["datasets"].queryset) == [own]
    assert not form.is_valid()
    assert "Select a valid choice" in form.errors["datasets"][0]
    # The field of the class offers what it did before: forms do not share it.
    assert DataSampleForm.base_fields["datasets"].queryset.count() == 2


def test_paths_are_one_a_line(alice, settings):
    form = samples_form(alice, datasets=[make_dataset(alice).key], paths="one\n\n two \r\n")
    assert not form.is_valid()
    assert [str(path) for path in form.spec.paths] == ["one", "two"]
    assert len(form.errors["paths"]) == 2
    assert "is not a folder on the server" in form.errors["paths"][0]


def test_no_form_shows_more_than_can_be_read(alice):
    form = samples_form(alice, datasets=[make_dataset(alice).key], paths="x\n" * 250)
    assert not form.is_valid()
    assert len(form.errors["paths"]) == MAX_MESSAGES
    assert form.non_field_errors() == [
        "150 more problems are not listed. Fix the listed ones first."
    ]


@pytest.mark.parametrize("count", [1, 3])
def test_samples_are_linked(count, alice):
    samples = make_samples(alice, make_dataset(alice).key, count=count)
    dataset = make_dataset(alice)
    data = {"data_samples": [sample.key for sample in samples], "datasets": [dataset.key]}
    form = LinkSamplesForm(data, actor=alice)
    assert form.is_valid(), form.errors
    form.save()
    assert dataset.data_samples.count() == count


def test_what_is_missing_to_link(alice):
    sample = make_samples(alice, make_dataset(alice).key)[0]
    form = LinkSamplesForm({"data_samples": [sample.key]}, actor=alice)
    assert not form.is_valid()
    assert set(form.errors) == {"datasets"}
