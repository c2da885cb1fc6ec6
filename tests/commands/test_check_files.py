"""`check_files`: rows and stored files agree, or it says which do not."""

import io
import os
import time

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from assets import integrity
from assets.datasets.registration import register_data_samples
from assets.datasets.specs import DataSampleSpec
from tests.builders import (
    make_dataset,
    make_failure,
    make_function,
    make_model,
    make_plan,
    make_samples,
    training_task,
)


def check_files(*args: str) -> str:
    out = io.StringIO()
    call_command("check_files", *args, stdout=out)
    return out.getvalue()


def complaints(*args: str) -> str:
    out = io.StringIO()
    with pytest.raises(CommandError, match="missing, damaged or orphans"):
        call_command("check_files", *args, stdout=out)
    return out.getvalue()


@pytest.fixture
def dataset(alice):
    dataset = make_dataset(alice)
    make_samples(alice, dataset.key, count=2)
    make_function(alice)
    return dataset


@pytest.fixture
def folder(settings, alice, dataset):
    folder = settings.SERVERMEDIAS_ROOT / alice.organization_id / "visit"
    folder.mkdir(parents=True)
    (folder / "data.csv").write_text("1,2\n")
    register_data_samples(DataSampleSpec([dataset.key], paths=[folder]), alice)
    return folder


@pytest.fixture
def outputs(alice, dataset):
    """A model and a failure report, as a worker would have left them."""
    function = make_function(alice)
    samples = list(dataset.data_samples.all())
    made, failed = (training_task(dataset, samples, function) for _ in range(2))
    make_plan(alice, made, failed)
    return make_model(made.key), make_failure(b"no such column", task_id=failed.key)


def flat(output: str) -> str:
    return " ".join(output.split())


def age(name: str) -> None:
    """Let a stored file look as old as an orphan must be to be removed."""
    hour_ago = time.time() - 3601
    os.utime(default_storage.path(name), (hour_ago, hour_ago))


def rewrite(name: str, content: bytes) -> None:
    with open(default_storage.path(name), "wb") as file:  # noqa: PTH123
        file.write(content)


def test_an_empty_registry(db):
    assert "agree" in check_files()


@pytest.mark.parametrize("args", [(), ("--fast",)])
def test_a_sound_registry(folder, args):
    output = check_files(*args)

    assert "dataset: 2 files, 0 wrong" in output
    assert "data sample: 3 files, 0 wrong" in output
    assert "function: 2 files, 0 wrong" in output
    assert "Rows and files agree." in output


def test_every_kind_of_file_is_checked(outputs):
    model, failure = outputs
    output = check_files()
    assert "model: 1 files, 0 wrong" in output
    assert "failure report: 1 files, 0 wrong" in output

    default_storage.delete(model.file.name)
    rewrite(failure.logs.name, b"no such coloumn")

    output = flat(complaints())
    assert f"missing model {model.key} {model.file.name}" in output
    assert f"mismatch failure report {failure.key} {failure.logs.name}" in output


def test_a_model_that_was_removed_on_purpose(outputs):
    model, _ = outputs
    default_storage.delete(model.file.name)
    type(model).objects.update(file="", file_checksum="", file_size=0)

    assert "model: 0 files, 0 wrong" in check_files()


@pytest.mark.parametrize("args", [(), ("--fast",)])
@pytest.mark.parametrize("field", ["opener", "description"])
def test_a_missing_file(dataset, field, args):
    name = getattr(dataset, field).name
    default_storage.delete(name)

    output = complaints(*args)
    assert f"missing dataset {dataset.key} {name}" in flat(output)
    assert "dataset: 2 files, 1 wrong" in output


def test_a_changed_file(dataset):
    rewrite(dataset.opener.name, b"#" * dataset.opener_size)

    assert "agree" in check_files("--fast")
    assert f"mismatch dataset {dataset.key}" in flat(complaints())


def test_a_shorter_file_is_found_without_reading_it(dataset):
    rewrite(dataset.opener.name, b"short")

    assert "mismatch" in complaints("--fast")


def test_a_file_that_cannot_be_read(dataset, monkeypatch):
    def refuse(*args):
        raise PermissionError

    monkeypatch.setattr(type(default_storage._wrapped), "size", refuse)

    assert f"unreadable dataset {dataset.key} {dataset.opener.name}" in flat(complaints())


def test_a_changed_folder(folder):
    (folder / "data.csv").write_text("1,3\n")

    assert "agree" in check_files("--fast")
    assert "mismatch data sample" in flat(complaints())


@pytest.mark.parametrize("args", [(), ("--fast",)])
def test_a_folder_that_has_grown(folder, args):
    (folder / "more.csv").write_text("1,3\n")

    assert "mismatch data sample" in flat(complaints(*args))


@pytest.mark.parametrize("args", [(), ("--fast",)])
def test_a_missing_folder(folder, args):
    (folder / "data.csv").unlink()
    folder.rmdir()

    assert "missing data sample" in flat(complaints(*args))


def test_a_folder_that_cannot_be_read(folder, monkeypatch):
    def refuse(_):
        raise PermissionError

    monkeypatch.setattr(integrity, "folder_digest", refuse)

    assert "unreadable data sample" in flat(complaints())


def test_orphans_are_removed_once_they_are_old_enough(dataset):
    name = default_storage.save("datasets/unknown/opener.py", ContentFile(b"x"))

    output = complaints("--remove-orphans")
    assert f"orphan file {name}" in flat(output)
    assert "orphans: 1 files, 0 removed" in output
    assert default_storage.exists(name)

    age(name)
    assert f"orphan file {name}" in flat(complaints())
    assert default_storage.exists(name)

    output = check_files("--remove-orphans")
    assert f"orphan file {name}" in flat(output)
    assert "orphans: 1 files, 1 removed" in output
    assert not default_storage.exists(name)


def test_nothing_but_orphans_is_removed(outputs, folder):
    """However old: what a row names stays."""
    stored = [*integrity.stored_files("data_samples")]
    stored += [outputs[0].file.name, outputs[1].logs.name]
    for name in stored:
        age(name)

    check_files("--remove-orphans")

    assert all(default_storage.exists(name) for name in stored)


def test_orphans_are_not_removed_when_no_row_names_a_file(db):
    """This happens when the settings name another database than the one of this storage."""
    name = default_storage.save("datasets/somebody/opener.py", ContentFile(b"x"))
    age(name)

    with pytest.raises(CommandError, match="is this the database"):
        check_files("--remove-orphans")
    assert default_storage.exists(name)


def test_orphans_across_batches_and_folders(dataset, monkeypatch):
    monkeypatch.setattr(integrity, "BATCH", 2)
    names = {
        default_storage.save(f"{folder}/unknown-{number}", ContentFile(b"x"))
        for folder in ("data_samples", "datasets", "elsewhere/deep")
        for number in range(3)
    }

    assert set(integrity.orphans()) == names


def test_finding_orphans_takes_no_query_a_folder(alice):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert list(integrity.orphans()) == []
        return len(captured)

    make_dataset(alice)
    with_one = queries()
    for _ in range(20):
        make_dataset(alice)

    assert queries() == with_one


def test_storage_of_another_kind(settings, alice):
    """Nothing needs files to have paths: so it is with S3."""
    memory = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    settings.STORAGES = settings.STORAGES | {"default": memory}
    dataset = make_dataset(alice)
    make_samples(alice, dataset.key)
    assert not settings.STORAGE_ROOT.exists()
    assert "agree" in check_files()

    default_storage.save("datasets/unknown/opener.py", ContentFile(b"x"))
    default_storage.delete(dataset.opener.name)

    output = complaints("--remove-orphans")
    assert f"missing dataset {dataset.key}" in flat(output)
    assert "orphan file datasets/unknown/opener.py" in flat(output)
