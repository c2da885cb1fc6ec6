"""Rows and files are written together or not at all, wherever it goes wrong."""

import hashlib
import itertools
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage
from django.db import DatabaseError, IntegrityError, OperationalError, connection

from assets.accounts.models import User
from assets.common.errors import Refused
from assets.common.files.folder import AssetStorage
from assets.common.files.storage import StorageError
from assets.datasets.models import DataSample, Dataset
from assets.functions.models import Function
from tests import builders

from .registrations import REGISTRATIONS, WITH_FILES
from .stored import nothing_left, row_counts, stored_files

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


class DiskFull(OSError):
    pass


def fail_at_write(monkeypatch, number: int, *, halfway: bool) -> None:
    """Make storage fail at the `number`-th file, perhaps with half of it written."""
    write, count = AssetStorage._save, itertools.count(1)

    def save(storage, name, content):
        if next(count) != number:
            return write(storage, name, content)
        if halfway:
            path = Path(storage.path(name))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.read(3))
        raise DiskFull

    monkeypatch.setattr(AssetStorage, "_save", save)


@pytest.mark.parametrize("halfway", [False, True], ids=["before", "halfway"])
@pytest.mark.parametrize(
    ("kind", "number"),
    [(kind, n + 1) for kind, registration in WITH_FILES.items() for n in range(registration.files)],
)
def test_a_file_that_cannot_be_written(alice, monkeypatch, kind, number, halfway):
    register = WITH_FILES[kind].prepare(alice)
    fail_at_write(monkeypatch, number, halfway=halfway)
    with nothing_left(), pytest.raises(StorageError) as failure:
        register(alice)
    assert isinstance(failure.value.__cause__, DiskFull)


@contextmanager
def failing_at_insert(number: int):
    """Have the database fail at the `number`-th INSERT; say whether it came to that."""
    count, failed = itertools.count(1), []

    def execute(call, sql, params, many, context):
        if sql.lstrip().upper().startswith("INSERT") and next(count) == number:
            failed.append(sql)
            raise OperationalError("the database has gone away")
        return call(sql, params, many, context)

    with connection.execute_wrapper(execute):
        yield failed


@pytest.mark.parametrize("registration", REGISTRATIONS.values(), ids=REGISTRATIONS)
def test_an_insert_that_fails(alice, registration):
    """Each of the statements in turn, until none is left to fail."""
    register = registration.prepare(alice)
    for number in itertools.count(1):
        before = row_counts(), stored_files()
        with failing_at_insert(number) as failed:
            if not _fails(register, alice):
                break
        assert failed
        assert (row_counts(), stored_files()) == before
    assert number > 2
    assert (row_counts(), stored_files()) != before


def _fails(register, actor) -> bool:
    try:
        register(actor)
    except DatabaseError:
        return True
    return False


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("registration", REGISTRATIONS.values(), ids=REGISTRATIONS)
def test_a_commit_that_fails(alice, registration):
    """The actor's account was deleted meanwhile: the foreign key is checked by the commit."""
    register = registration.prepare(alice)
    deleted = User(pk=10**6, username="ghost", organization=alice.organization)
    with nothing_left(), pytest.raises(IntegrityError):
        register(deleted)
    register(alice)


@pytest.mark.parametrize("registration", REGISTRATIONS.values(), ids=REGISTRATIONS)
def test_what_succeeds_is_all_there(alice, registration):
    register = registration.prepare(alice)
    before = set(stored_files())
    register(alice)
    assert len(set(stored_files()) - before) == registration.files
    assert_rows_and_files_agree()


def assert_rows_and_files_agree():
    """Every file is one that a row names, with the checksum and the size that the row says."""
    named = {}
    for model, field in FILES:
        prefix = "" if model is DataSample else f"{field}_"
        columns = (field, f"{prefix}checksum", f"{prefix}size")
        for name, *rest in model.objects.values_list(*columns):
            named[name] = tuple(rest)
    assert named == {
        name: (hashlib.sha256(content).hexdigest(), len(content))
        for name, content in stored_files().items()
    }


FILES = (
    (Dataset, "opener"),
    (Dataset, "description"),
    (DataSample, "archive"),
    (Function, "archive"),
    (Function, "description"),
)


@pytest.mark.parametrize("registration", WITH_FILES.values(), ids=WITH_FILES)
def test_the_same_twice_is_two_assets(alice, registration):
    register = registration.prepare(alice)
    before = len(stored_files())
    one, two = register(alice), register(alice)
    keys = {
        item.key for found in (one, two) for item in (found if isinstance(found, list) else [found])
    }
    assert len(keys) == 2 * (len(one) if isinstance(one, list) else 1)
    assert len(stored_files()) == before + 2 * registration.files
    assert_rows_and_files_agree()


def test_a_refusal_leaves_nothing(alice):
    with nothing_left(), pytest.raises(Refused):
        builders.make_dataset(alice, name="")


@pytest.mark.parametrize("registration", WITH_FILES.values(), ids=WITH_FILES)
def test_a_file_that_cannot_be_removed_hides_nothing(alice, monkeypatch, registration):
    """The reason of the failure is shown, not that cleaning up failed as well."""
    register = registration.prepare(alice)

    def delete(storage, name):
        raise PermissionError(name)

    monkeypatch.setattr(FileSystemStorage, "delete", delete)
    with failing_at_insert(1), pytest.raises(OperationalError, match="gone away"):
        register(alice)
