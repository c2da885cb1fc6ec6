"""A backup of an earlier version restores into this one, and answers as before."""

import tempfile
from pathlib import Path

import pytest
from django.core.management import CommandError

from assets.backups import upgrading
from tests.backups.conftest import all_rows, backup, empty, restore  # noqa: F401  a fixture
from tests.files.stored import stored_files

from .registry import Reader, values_differ

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]


@pytest.fixture
def folder(recorded, empty, tmp_path, monkeypatch) -> Path:  # noqa: F811
    """The backup, beside an empty registry."""
    empty()
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return recorded.unpack_backup(tmp_path)


def temporary() -> list[Path]:
    return list(Path(tempfile.gettempdir()).iterdir())


def test_it_answers_as_before(recorded, folder):
    output = restore(folder)

    reader = Reader()
    lists = [path for path in recorded.answers if path.count("/") == 3]
    assert len(lists) > 50
    assert [path for path in lists if values_differ(reader(path), recorded.answer(path))] == []
    steps = (
        "Upgrading the rows of Registrar",
        "assets.task: 78 rows",
        "Applying assets.",
        "82 files",
    )
    assert all(step in output for step in steps)
    files = {path for path in (folder / "files").rglob("*") if path.is_file()}
    assert stored_files() == {
        str(path.relative_to(folder / "files")): path.read_bytes() for path in files
    }
    assert temporary() == []


def test_what_it_becomes_is_backed_up_and_restored(folder, empty, tmp_path):  # noqa: F811
    restore(folder)
    rows = all_rows()
    backup(tmp_path / "again")
    empty()

    assert "Upgrading" not in restore(tmp_path / "again")
    assert all_rows() == rows


def test_one_that_cannot_be_upgraded_leaves_nothing(folder, monkeypatch):
    def fail(name, **options):
        raise OSError("No space left on device")

    monkeypatch.setattr(upgrading, "call_command", fail)
    before = all_rows()
    with pytest.raises(CommandError, match="No space left on device\nNothing was restored"):
        restore(folder)

    assert all_rows() == before
    assert not stored_files()
    assert temporary() == []


def test_rows_that_changed_are_noticed_before_they_are_upgraded(folder):
    path = folder / "rows" / "assets.organization.jsonl"
    path.write_text(path.read_text().replace("Charité", "Another"))
    with pytest.raises(CommandError, match="has changed since the backup was made"):
        restore(folder)
    assert not stored_files()
