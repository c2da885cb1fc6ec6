"""What a form keeps when it comes back: of the pages of datasets and of data samples."""

import pytest
from django.core.files.storage import default_storage
from django.urls import reverse

from assets.datasets.models import DataSample, Dataset
from assets.uploads.models import Upload
from assets.uploads.registration import stage
from tests.builders import OPENER, make_dataset, upload, zip_of

BAD = b"def broken(:\n"
DATASETS, SAMPLES = "/datasets/new/", "/data-samples/new/"


@pytest.fixture
def browser(alice, session_of):
    return session_of(alice)


def files(opener: bytes = OPENER) -> dict:
    return {
        "data_opener": upload(opener, "opener.py"),
        "description": upload(b"# Notes\n", "notes.md"),
    }


def stored(field) -> bytes:
    with default_storage.open(field.name) as file:
        return file.read()


def kept_of(response, field: str) -> list[str]:
    widget = response.context["form"].fields[field].widget
    return [str(item.pk) for item in widget.uploads]


def test_a_dataset_whose_name_was_forgotten_keeps_its_files(browser):
    response = browser.post(DATASETS, {"name": "", "type": "t", **files()})
    assert response.status_code == 422
    kept = {f"{name}-staged": kept_of(response, name) for name in ("data_opener", "description")}
    for field, keys in kept.items():
        assert len(keys) == 1
        assert f'name="{field}" value="{keys[0]}" checked' in response.content.decode()
    # Sent again without the files.
    assert browser.post(DATASETS, {"name": "Scans", "type": "t", **kept}).status_code == 302
    dataset = Dataset.objects.get()
    assert stored(dataset.opener) == OPENER
    assert stored(dataset.description) == b"# Notes\n"


@pytest.mark.django_db(transaction=True)
def test_what_was_registered_is_forgotten(alice, browser):
    waiting = {f"{name}-staged": stage(alice, file) for name, file in files().items()}
    data = {name: str(item.pk) for name, item in waiting.items()}
    assert browser.post(DATASETS, {"name": "Scans", "type": "t", **data}).status_code == 302
    assert not Upload.objects.exists()
    assert not any(default_storage.exists(item.file.name) for item in waiting.values())


def test_a_file_that_is_at_fault_is_chosen_again(browser):
    sent = {**files(), "description": upload(b"", "notes.md")}
    response = browser.post(DATASETS, {"name": "", "type": "t", **sent})
    assert [item.name for item in Upload.objects.all()] == ["opener.py"]
    assert "The file is empty" in response.context["form"].errors["description"][0]


def test_a_new_file_replaces_the_one_that_waits(alice, browser):
    old = stage(alice, upload(BAD, "old.py"))
    data = {"name": "Scans", "type": "t", "data_opener-staged": str(old.pk), **files()}
    assert browser.post(DATASETS, data).status_code == 302
    assert stored(Dataset.objects.get().opener) == OPENER


def test_a_file_that_is_unticked_is_left_out(alice, browser):
    stage(alice, upload(OPENER, "opener.py"))
    response = browser.post(DATASETS, {"name": "Scans", "type": "t"})
    assert "Missing file" in response.context["form"].errors["data_opener"][0]


def test_no_one_registers_the_files_of_others(bob, browser):
    theirs = {f"{name}-staged": str(stage(bob, file).pk) for name, file in files().items()}
    response = browser.post(DATASETS, {"name": "Scans", "type": "t", **theirs})
    assert response.status_code == 422
    assert {"data_opener", "description"} <= set(response.context["form"].errors)
    assert Upload.objects.filter(user=bob).count() == 2


@pytest.mark.parametrize("key", ["nonsense", "00000000-0000-0000-0000-000000000000"])
def test_keys_of_nothing(key, browser):
    response = browser.post(DATASETS, {"name": "x", "type": "t", "data_opener-staged": key})
    assert "Missing file" in response.context["form"].errors["data_opener"][0]


@pytest.mark.parametrize("who", ["victor", "root"])
def test_who_may_not_register_leaves_no_files(who, request, session_of):
    user = request.getfixturevalue(who)
    session_of(user).post(DATASETS, {"name": "Scans", "type": "t", **files()})
    assert not Upload.objects.exists()
    assert not Dataset.objects.exists()


def test_files_are_kept_when_code_is_shown(browser):
    response = browser.post(DATASETS, {"name": "S", "type": "t", "action": "code", **files()})
    assert response.status_code == 200
    assert len(kept_of(response, "data_opener")) == 1
    assert "DatasetSpec" in response.content.decode()


class TestOpenersThatLookWrong:
    """A form without scripts asks; a file that was sent ahead has been spoken about already."""

    DATA = {"name": "Scans", "type": "t"}

    def test_the_first_time_one_is_asked(self, browser):
        response = browser.post(DATASETS, {**self.DATA, **files(BAD)})
        html = response.content.decode()
        assert response.status_code == 422
        assert 'name="anyway"' in html
        assert "in line 1" in html
        assert set(response.context["form"].errors) == {"anyway"}
        assert not Dataset.objects.exists()

    def test_the_box_is_shown_to_no_one_else(self, browser):
        for response in (
            browser.get(DATASETS),
            browser.post(DATASETS, {**self.DATA, "name": "", **files()}),
        ):
            assert 'name="anyway"' not in response.content.decode()

    def again(self, browser, **data):
        response = browser.post(DATASETS, {**self.DATA, **files(BAD)})
        kept = {
            f"{name}-staged": kept_of(response, name) for name in ("data_opener", "description")
        }
        return browser.post(DATASETS, {**self.DATA, **kept, **data})

    def test_who_does_not_tick_is_asked_again(self, browser):
        assert self.again(browser).status_code == 422
        assert not Dataset.objects.exists()

    def test_who_ticks_registers_it(self, browser):
        assert self.again(browser, anyway="on").status_code == 302
        assert stored(Dataset.objects.get().opener) == BAD

    def test_a_doubt_asks_for_no_tick(self, browser):
        doubted = OPENER.replace(b"import substratools", b"from shared import Hospital")
        doubted = doubted.replace(b"substratools.Opener", b"Hospital")
        assert browser.post(DATASETS, {**self.DATA, **files(doubted)}).status_code == 302
        assert stored(Dataset.objects.get().opener) == doubted

    def test_another_file_needs_no_tick(self, browser):
        assert self.again(browser, data_opener=upload(OPENER, "opener.py")).status_code == 302

    def test_a_tick_stays_when_something_else_is_wrong(self, browser):
        response = self.again(browser, anyway="on", name="")
        assert set(response.context["form"].errors) == {"name"}
        assert response.context["form"]["anyway"].value()
        assert 'name="anyway"' in response.content.decode()

    def test_a_file_sent_ahead_is_asked_about_as_well(self, alice, browser):
        kept = {f"{name}-staged": str(stage(alice, file).pk) for name, file in files(BAD).items()}
        response = browser.post(DATASETS, {**self.DATA, **kept})
        assert set(response.context["form"].errors) == {"anyway"}
        assert browser.post(DATASETS, {**self.DATA, **kept, "anyway": "on"}).status_code == 302

    def test_advice_stays_beside_a_file_that_waits(self, alice, browser):
        kept = {f"{name}-staged": str(stage(alice, file).pk) for name, file in files(BAD).items()}
        html = browser.post(DATASETS, {**self.DATA, "name": "", **kept}).content.decode()
        assert 'class="advice"' in html
        assert 'name="anyway"' in html


# --- Data samples --------------------------------------------------------------------------------


def archive(number: int) -> object:
    return upload(zip_of({"data.csv": b"%d" % number}), f"{number}.zip")


def test_one_wrong_archive_costs_no_other(alice, browser):
    dataset = make_dataset(alice)
    sent = [archive(1), upload(b"text", "bad.zip"), archive(2)]
    response = browser.post(SAMPLES, {"datasets": [str(dataset.pk)], "archives": sent})
    assert response.status_code == 422
    [error] = response.context["form"].errors["archives"]
    assert error.startswith("bad.zip: ")
    keys = kept_of(response, "archives")
    assert [item.name for item in Upload.objects.order_by("name")] == ["1.zip", "2.zip"]
    data = {"datasets": [str(dataset.pk)], "archives-staged": keys, "archives": [archive(3)]}
    assert browser.post(SAMPLES, data).status_code == 302
    assert DataSample.objects.count() == 3


def test_archives_wait_for_a_dataset(alice, browser):
    dataset = make_dataset(alice)
    response = browser.post(SAMPLES, {"archives": [archive(1), archive(2)]})
    assert "datasets" in response.context["form"].errors
    keys = kept_of(response, "archives")
    assert len(keys) == 2
    data = {"datasets": [str(dataset.pk)], "archives-staged": keys}
    response = browser.post(SAMPLES, data)
    assert response.url == f"{reverse('data-samples')}?dataset_key={dataset.pk}"
    assert dataset.data_samples.count() == 2


def test_archives_of_others_are_left_out(alice, bob, browser):
    dataset = make_dataset(alice)
    theirs = str(stage(bob, archive(1)).pk)
    response = browser.post(SAMPLES, {"datasets": [str(dataset.pk)], "archives-staged": [theirs]})
    assert response.status_code == 422
    assert not DataSample.objects.exists()


def test_searching_a_picker_keeps_the_archives(browser):
    response = browser.post(SAMPLES, {"archives": [archive(1)], "action": "refresh"})
    assert response.status_code == 200
    assert len(kept_of(response, "archives")) == 1
    assert not response.context["form"].errors
