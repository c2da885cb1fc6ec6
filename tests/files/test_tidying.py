"""What a process that was killed left behind is removed, and nothing that others are at."""

import os
import subprocess
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from assets import integrity
from assets.common.files import pending, process_locks
from assets.common.files.batch import file_batch
from assets.common.files.folder import AssetStorage
from assets.common.files.pending import Names, PendingFiles
from assets.common.files.storage import StorageError
from assets.uploads.models import Upload
from assets.uploads.registration import discard, stage
from tests import builders

from .stored import nothing_left, stored_files
from .test_together import failing_at_insert

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def var_dir(settings, tmp_path):
    settings.VAR_DIR = tmp_path / "var"
    (settings.VAR_DIR / "writers").mkdir(parents=True)
    return settings.VAR_DIR


@pytest.fixture
def ended(var_dir) -> UUID:
    """A process that was here: its file is, but no one holds the lock."""
    writer = uuid4()
    (var_dir / "writers" / str(writer)).touch()
    return writer


def left_by(writer, *names, places=(), **values) -> PendingFiles:
    for name in names:
        default_storage.save(name, ContentFile(b"x"))
    return PendingFiles.objects.create(writer=writer, names=[*(places or names)], **values)


def hours_ago(hours):
    return timezone.now() - timedelta(hours=hours)


def living() -> UUID:
    """This process, in the folder of the test."""
    process_locks._writer.cache_clear()
    return process_locks.this_process()


# --- Who is at it --------------------------------------------------------------------------------


def test_a_process_lives_until_its_lock_is_let_go(ended):
    assert not process_locks.has_ended(living())
    assert process_locks.has_ended(ended)
    assert not process_locks.has_ended(uuid4())  # on another host
    assert list(process_locks.ended()) == [ended]


WRITE = """
import signal
from assets.common.files.process_locks import this_process
print(this_process(), flush=True)
signal.pause()
"""


def test_a_process_that_was_killed_has_ended(var_dir):
    environment = os.environ | {"VAR_DIR": str(var_dir), "DATABASE_URL": ""}
    environment["DJANGO_SETTINGS_MODULE"] = "project.settings"
    with subprocess.Popen(
        [sys.executable, "-c", WRITE], env=environment, stdout=subprocess.PIPE, cwd=ROOT
    ) as process:
        try:
            writer = UUID(process.stdout.readline().decode().strip())
            assert not process_locks.has_ended(writer)
        finally:
            process.kill()
    assert process_locks.has_ended(writer)


def test_without_a_folder_no_one_knows(settings, tmp_path):
    (tmp_path / "file").touch()
    settings.VAR_DIR = tmp_path / "file"
    assert not process_locks.has_ended(living())
    assert list(process_locks.ended()) == []


# --- What is removed -----------------------------------------------------------------------------


def test_files_of_a_process_that_has_ended(ended, var_dir):
    left_by(ended, "datasets/1/opener.py", "datasets/1/description.md")
    assert sorted(integrity.orphans()) == ["datasets/1/description.md", "datasets/1/opener.py"]
    assert integrity.tidy_up() == 2
    assert stored_files() == {}
    assert not PendingFiles.objects.exists()
    assert list((var_dir / "writers").iterdir()) == []


def test_files_at_a_place_of_a_process_that_has_ended(ended):
    names = ["datasets/1/opener.py", "datasets/1/description.md", "uploads/2"]
    left_by(ended, *names, places=["datasets/1", "uploads/2"])
    default_storage.save("datasets/11/opener.py", ContentFile(b"x"))
    assert sorted(integrity.orphans()) == sorted([*names, "datasets/11/opener.py"])
    assert integrity.tidy_up() == 3
    assert list(stored_files()) == ["datasets/11/opener.py"]


def test_files_at_a_place_in_use_are_no_orphans(ended):
    left_by(living(), "datasets/1/opener.py", "uploads/2", places=["datasets/1", "uploads/2"])
    assert list(integrity.orphans()) == []
    assert integrity.tidy_up() == 0
    assert len(stored_files()) == 2


def test_files_that_were_never_written(ended):
    PendingFiles.objects.create(writer=ended, names=["datasets/1/opener.py", "datasets/2"])
    assert integrity.tidy_up() == 0
    assert not PendingFiles.objects.exists()


@pytest.mark.parametrize(
    ("writer", "hours", "stays"),
    [(living, 0.9, True), (uuid4, 0.9, True), (living, 1.1, False), (uuid4, 1.1, False)],
    ids=["here", "elsewhere", "here, for too long", "elsewhere, for too long"],
)
def test_files_of_others(writer, hours, stays):
    left_by(writer(), "datasets/1/opener.py", since=hours_ago(hours))
    assert list(integrity.orphans()) == ([] if stays else ["datasets/1/opener.py"])
    integrity.tidy_up()
    assert bool(stored_files()) == PendingFiles.objects.exists() == stays


def test_files_that_a_row_names_stay(alice, ended):
    dataset = builders.make_dataset(alice)
    PendingFiles.objects.create(writer=ended, names=[dataset.opener.name])
    integrity.tidy_up()
    assert dataset.opener.name in stored_files()


def test_what_cannot_be_removed_is_removed_the_next_time(ended, var_dir, monkeypatch):
    left_by(ended, "datasets/1/opener.py")
    with monkeypatch.context() as patch:
        patch.setattr(FileSystemStorage, "delete", _refuse)
        assert integrity.tidy_up() == 0
    assert (var_dir / "writers" / str(ended)).exists()
    assert integrity.tidy_up() == 1


def _refuse(*args):
    raise PermissionError


def test_the_command_removes_them_at_once(alice, ended):
    builders.make_dataset(alice)
    left_by(ended, "datasets/1/opener.py")
    call_command("check_files", "--remove-orphans")
    assert "datasets/1/opener.py" not in stored_files()


# --- Who was slow, or not sure -------------------------------------------------------------------


def test_a_slow_registration_finds_that_its_files_were_abandoned(alice, monkeypatch):
    save = AssetStorage._save

    def slowly(*args):
        PendingFiles.objects.update(since=hours_ago(2))
        integrity.tidy_up()
        return save(*args)

    monkeypatch.setattr(AssetStorage, "_save", slowly)
    with nothing_left(), pytest.raises(StorageError, match="abandoned"):
        builders.make_dataset(alice)


def test_files_stay_when_the_commit_was_done_but_not_answered(alice):
    """Only the database knows whether rows name them."""

    def lose_the_answer():
        with file_batch(Names(["a"])) as files:
            files.save("a", ContentFile(b"1"))
            with files.commit():
                pass
            raise OperationalError("the connection was lost")

    with pytest.raises(OperationalError):
        lose_the_answer()
    assert stored_files() == {"a": b"1"}


@pytest.mark.django_db(transaction=True)
def test_files_go_when_the_database_is_gone(alice):
    """Their announcement stays, and is tidied up once the database is back."""

    def no_more(call, sql, params, many, context):
        if sql.startswith(("DELETE", "UPDATE")):
            raise OperationalError("the database has gone away")
        return call(sql, params, many, context)

    with pytest.raises(OperationalError), connection.execute_wrapper(no_more):
        builders.make_dataset(alice)
    assert stored_files() == {}
    PendingFiles.objects.update(since=hours_ago(2))
    integrity.tidy_up()
    assert not PendingFiles.objects.exists()


# --- Places that are announced ahead --------------------------------------------------------------


@pytest.fixture
def announced(alice, var_dir) -> PendingFiles:
    """The place that a registration has announced for the next one."""
    living()
    builders.make_dataset(alice)
    return PendingFiles.objects.get()


ahead = pytest.mark.django_db(transaction=True)


@ahead
def test_the_next_registration_needs_no_transaction_to_announce_its_files(alice, announced):
    assert announced.names == [f"datasets/{announced.pk}"]
    assert list(integrity.orphans()) == []
    with CaptureQueriesContext(connection) as captured:
        dataset = builders.make_dataset(alice)
    assert [entry["sql"] for entry in captured].count("COMMIT") == 1
    assert dataset.key == announced.pk
    assert stored_files()[f"datasets/{announced.pk}/opener.py"] == builders.OPENER
    assert PendingFiles.objects.get().pk != announced.pk


@ahead
def test_a_registration_that_fails_leaves_no_place(alice, announced):
    before = stored_files()
    with suppress(OperationalError), failing_at_insert(1):
        builders.make_dataset(alice)
    assert stored_files() == before
    assert not PendingFiles.objects.exists()
    assert builders.make_dataset(alice).key != announced.pk


@ahead
@pytest.mark.parametrize("is_abandoned", [False, True])
def test_an_old_place_is_renewed(alice, announced, monkeypatch, is_abandoned):
    monkeypatch.setattr(pending, "MAX_SECONDS_AHEAD", 0)
    PendingFiles.objects.update(since=hours_ago(0.9), abandoned=is_abandoned)
    dataset = builders.make_dataset(alice)
    assert (dataset.key == announced.pk) is not is_abandoned
    assert stored_files()[dataset.opener.name] == builders.OPENER


@ahead
def test_a_place_that_is_abandoned_before_its_time_fails_once(alice, announced):
    PendingFiles.objects.update(since=hours_ago(2))
    integrity.tidy_up()
    with pytest.raises(StorageError, match="abandoned"):
        builders.make_dataset(alice)
    builders.make_dataset(alice)


@ahead
def test_the_places_of_a_process_that_has_ended_go(announced, ended):
    before = stored_files()
    PendingFiles.objects.update(writer=ended)
    assert integrity.tidy_up() == 0
    assert not PendingFiles.objects.exists()
    assert stored_files() == before


# --- Files whose rows are deleted ----------------------------------------------------------------


@pytest.fixture
def upload(alice):
    return stage(alice, builders.upload(b"1"))


def test_a_forgotten_upload(upload, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        discard([upload])
    assert stored_files() == {}
    assert not PendingFiles.objects.filter(abandoned=True).exists()
    assert not Upload.objects.exists()


def test_a_forgotten_upload_whose_process_is_killed(upload):
    """After the commit, before its file is removed."""
    discard([upload])
    assert len(stored_files()) == 1
    assert integrity.tidy_up() == 1
    assert stored_files() == {}


def test_an_upload_is_not_forgotten_in_part(upload):
    with suppress(OperationalError), failing_at_insert(1):
        discard([upload])
    assert Upload.objects.exists()
    integrity.tidy_up()
    assert len(stored_files()) == 1
