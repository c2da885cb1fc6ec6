"""`check_files`: rows and stored files agree, or it says which do not."""

import io
import os
import time

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from assets.datasets.registration import register_data_samples
from assets.datasets.specs import DataSampleSpec
from tests.builders import make_dataset, make_function, make_samples


def check_files(*args: str) -> str:
    out = io.StringIO()
    call_command("check_files", *args, stdout=out)
    return out.getvalue()


def complaints(*args: str) -> str:
    out = io.StringIO()
    with pytest.raises(CommandError, match="not as they should be"):
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


def rewrite(name: str, content: bytes) -> None:
    with open(default_storage.path(name), "wb") as file:  # noqa: PTH123
        file.write(content)


def test_an_empty_registry(db):
    assert "agree" in check_files()


@pytest.mark.parametrize("args", [(), ("--fast",)])
def test_a_sound_registry(folder, args):
    told = check_files(*args)

    assert "dataset: 2 files, 0 wrong" in told
    assert "data sample: 3 files, 0 wrong" in told
    assert "function: 2 files, 0 wrong" in told
    assert "Rows and files agree." in told


@pytest.mark.parametrize("args", [(), ("--fast",)])
def test_a_missing_file(dataset, args):
    default_storage.delete(dataset.opener.name)

    told = complaints(*args)
    assert f"missing dataset {dataset.key} {dataset.opener.name}" in " ".join(told.split())


def test_a_changed_file(dataset):
    rewrite(dataset.opener.name, b"#" * dataset.opener_size)

    assert "agree" in check_files("--fast")
    assert f"mismatch dataset {dataset.key}" in " ".join(complaints().split())


def test_a_shorter_file_is_found_without_reading_it(dataset):
    rewrite(dataset.opener.name, b"short")

    assert "mismatch" in complaints("--fast")


def test_a_changed_folder(folder):
    (folder / "data.csv").write_text("1,3\n")

    assert "mismatch data sample" in " ".join(complaints().split())


def test_a_missing_folder(folder):
    (folder / "data.csv").unlink()
    folder.rmdir()

    assert "missing data sample" in " ".join(complaints("--fast").split())


def test_orphans_are_removed_once_they_are_old_enough(dataset):
    name = default_storage.save("datasets/nobody/opener.py", ContentFile(b"x"))

    assert "orphan" in complaints()
    assert name in complaints("--remove-orphans")
    hour_ago = time.time() - 3601
    os.utime(default_storage.path(name), (hour_ago, hour_ago))
    assert f"removed {name}" in " ".join(check_files("--remove-orphans").split())
    assert not default_storage.exists(name)
    assert default_storage.exists(dataset.opener.name)
