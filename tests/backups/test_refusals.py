"""What is no whole backup, and what is no empty instance, is refused, and nothing is left."""

import errno
import io
import json
import shutil
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.management import CommandError
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from assets.accounts.registration.organizations import create_organization
from assets.backups import making, restoring
from tests.files.stored import stored_files

from .conftest import all_rows, backup, restore

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]


@pytest.fixture
def folder(request, tmp_path, tmp_path_factory) -> Path:
    """A backup that may be harmed, beside a database that is empty; it is made once."""
    kept = tmp_path_factory.getbasetemp() / "kept-backup"
    if not kept.exists():
        request.getfixturevalue("registry")
        backup(kept)
    request.getfixturevalue("empty")()
    return shutil.copytree(kept, tmp_path / "backup")


def change_manifest(folder: Path, **changes) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def a_file(folder: Path) -> Path:
    return next((folder / "files" / "datasets").rglob("opener*"))


def flip(path: Path) -> None:
    """Change one byte and keep the length."""
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.write_bytes(content)


def lead_out(folder: Path) -> None:
    listed = (folder / "files.jsonl").read_text().splitlines()
    listed[0] = json.dumps(["../../etc/passwd", *json.loads(listed[0])[1:]])
    (folder / "files.jsonl").write_text("\n".join(listed) + "\n")
    change_manifest(folder, files_sha256=restoring.sha256_of(folder / "files.jsonl"))


def forged_row(folder: Path) -> None:
    """A line that the part's own checksum agrees with, and the rows' does not."""
    path = folder / "rows" / "assets.organization.jsonl"
    path.write_text(path.read_text().replace("First hospital", "Worst hospital"))
    tables = json.loads((folder / "manifest.json").read_text())["tables"]
    for table in tables:
        if table["model"] == "assets.organization":
            table["sha256"] = restoring.sha256_of(path)
    change_manifest(folder, tables=tables)


BROKEN = {
    "interrupted": (lambda folder: (folder / "manifest.json").unlink(), "an incomplete one"),
    "half a manifest": (lambda folder: flip(folder / "manifest.json"), "cannot be read"),
    "another format": (lambda folder: change_manifest(folder, format=2), "has format 2"),
    "rows of other migrations": (
        lambda folder: change_manifest(folder, migrations=["assets.0001_initial"]),
        "tables differ: admin.logentry",
    ),
    "a later version": (
        lambda folder: change_manifest(folder, migrations=["assets.9999_later"]),
        "has the migrations assets.9999_later. Install that version or a later one",
    ),
    "changed rows": (lambda folder: flip(folder / "rows/assets.task.jsonl"), "has changed"),
    "missing rows": (lambda folder: (folder / "rows/assets.task.jsonl").unlink(), "is missing"),
    "forged rows": (forged_row, "differ"),
    "missing file": (lambda folder: a_file(folder).unlink(), "is missing"),
    "shorter file": (lambda folder: a_file(folder).write_text("x"), "has changed"),
    "changed file": (lambda folder: flip(a_file(folder)), "has changed"),
    "fewer files": (lambda folder: change_manifest(folder, files=3), "does not agree"),
    "a way out": (lead_out, "leads out"),
}


@pytest.mark.parametrize(("harm", "message"), BROKEN.values(), ids=BROKEN)
def test_what_is_no_whole_backup(harm, message, folder):
    harm(folder)
    before = all_rows()

    with pytest.raises(CommandError, match=message):
        restore(folder)

    assert not stored_files()
    assert all_rows() == before
    assert not before["assets.Organization"]


def test_no_folder_at_all(transactional_db, tmp_path):
    with pytest.raises(CommandError, match="it is no backup"):
        restore(tmp_path / "nowhere")


def test_a_database_that_is_not_empty(folder):
    create_organization("MyOrg9MSP")

    with pytest.raises(CommandError, match="The database has organisations already"):
        restore(folder)
    assert not stored_files()


def test_a_database_that_is_not_migrated(folder):
    recorder, last = MigrationRecorder(connection), ("assets", "0020_organisation_label")
    recorder.record_unapplied(*last)
    try:
        with pytest.raises(CommandError, match="0020_organisation_label differ. Run .* migrate"):
            restore(folder)
    finally:
        recorder.record_applied(*last)
    assert not stored_files()


def test_a_storage_that_is_not_empty(folder):
    default_storage.save("datasets/somebody/opener.py", ContentFile(b"x"))

    with pytest.raises(CommandError, match="such as datasets/somebody/opener.py"):
        restore(folder)
    assert stored_files() == {"datasets/somebody/opener.py": b"x"}
    assert not all_rows()["assets.Organization"]


def test_a_storage_that_fails_half_way(folder, monkeypatch):
    saved, save = [], FileSystemStorage.save

    def fail(storage, name, content, **options):
        if len(saved) == 3:
            raise OSError("No space left on device")
        saved.append(name)
        return save(storage, name, content, **options)

    monkeypatch.setattr(FileSystemStorage, "save", fail)
    with pytest.raises(CommandError, match="No space left on device\nNothing was restored"):
        restore(folder)

    assert len(saved) == 3
    assert not stored_files()
    assert not all_rows()["assets.Organization"]


# --- Backing up ----------------------------------------------------------------------------------


def test_a_folder_that_holds_something(folder):
    with pytest.raises(CommandError, match="is not empty"):
        backup(folder)


def test_no_previous_backup(registry, tmp_path):
    with pytest.raises(CommandError, match="it is no backup"):
        backup(tmp_path / "backup", "--previous", tmp_path)


def test_a_backup_that_is_interrupted_is_none(registry, tmp_path, monkeypatch, empty):
    def interrupt(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(making, "_copy", interrupt)
    with pytest.raises(KeyboardInterrupt):
        backup(tmp_path / "backup")
    empty()
    with pytest.raises(CommandError, match="an incomplete one"):
        restore(tmp_path / "backup")


@pytest.mark.parametrize("harm", ["changed", "missing"])
def test_a_file_that_is_damaged_already(harm, registry, tmp_path, empty):
    name = registry["Dataset"].opener.name
    if harm == "missing":
        default_storage.delete(name)
    else:
        flip(Path(default_storage.path(name)))
    rows = all_rows()

    with pytest.raises(CommandError, match=f"1 files are missing .*{name}.*--keep-going"):
        backup(tmp_path / "strict")
    with pytest.raises(CommandError, match="an incomplete one"):
        restore(tmp_path / "strict")

    with pytest.raises(CommandError, match=f"Without 1 files .*\n  {name}"):
        backup(tmp_path / "rest", "--keep-going")
    empty()
    assert "1 files were damaged when" in restore(tmp_path / "rest")
    assert all_rows() == rows
    assert name not in stored_files()


def test_a_previous_backup_that_has_changed_is_not_linked(registry, tmp_path):
    backup(tmp_path / "first")
    changed = a_file(tmp_path / "first")
    flip(changed)

    backup(tmp_path / "second", "--previous", tmp_path / "first")
    assert a_file(tmp_path / "second").read_bytes() != changed.read_bytes()


class Full(io.BytesIO):
    def write(self, data):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_disk_that_is_full(registry, tmp_path, monkeypatch):
    opened = Path.open

    def open_full(path, mode="r", **options):
        if mode == "xb" and "files" in path.parts:
            opened(path, mode).close()
            return Full()
        return opened(path, mode, **options)

    monkeypatch.setattr(Path, "open", open_full)
    with pytest.raises(CommandError, match="cannot be written: .*No space left on device"):
        backup(tmp_path / "backup")
