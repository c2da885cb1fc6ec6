"""What is backed up and restored is the same, on the same database, another one, and under load."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.db import connection, connections

from assets.backups.manifest import read_manifest
from assets.datasets.models import DataSample, Dataset
from assets.feed.models import Event
from assets.immutable import remove_triggers
from assets.uploads.models import Upload
from tests.builders import make_dataset
from tests.files.stored import stored_files

from .conftest import all_rows, backup, restore

pytestmark = pytest.mark.postgresql

ROOT = Path(__file__).resolve().parents[2]
LISTS = ("data_manager", "data_sample", "function", "compute_plan", "task", "model", "news_feed")


def answers(client) -> dict[str, object]:
    """What the API answers of every list."""
    return {name: client.get(f"/api/{name}/").json() for name in ("organization", *LISTS)}


def test_everything_comes_back(registry, alice, client_of, empty, tmp_path):
    api = client_of(alice)
    files, expected = stored_files(), answers(api)
    address = expected["data_manager"]["results"][0]["opener"]["storage_address"]
    opener = b"".join(api.get(address).streaming_content)
    rows = all_rows()
    assert all(rows[f"assets.{name}"] for name in ("Event", "Model", "TaskInput", "ApiToken"))

    output = backup(tmp_path / "backup")
    assert f"{len(files) - 1} files" in output
    empty()
    output = restore(tmp_path / "backup")

    assert "All checksums agree" in output
    assert "1 data samples are folders of the server" in output
    assert all_rows() == rows
    waiting = {name for name in files if name.startswith("uploads/")}
    assert stored_files() == {name: files[name] for name in files.keys() - waiting}
    assert len(waiting) == 1
    # The token signs in as before.
    assert answers(api) == expected
    assert b"".join(api.get(address).streaming_content) == opener


def test_a_restored_registry_goes_on(registry, alice, empty, tmp_path):
    backup(tmp_path / "backup")
    empty()
    restore(tmp_path / "backup")

    last = Event.objects.order_by("-pk").first().pk
    make_dataset(alice)
    assert Event.objects.order_by("-pk").first().pk > last
    with pytest.raises(Exception, match="cannot be changed"):
        Dataset.objects.update(type="another")


def test_what_waits_for_its_form_is_left_out(registry, empty, tmp_path):
    assert Upload.objects.exists()
    backup(tmp_path / "backup")
    empty()
    restore(tmp_path / "backup")
    assert not Upload.objects.exists()


def test_numbers_that_json_has_no_word_for(registry, empty, tmp_path):
    """SQLite keeps no NaN, but both keep the infinite."""
    model = type(registry["Performance"])
    row = model.objects.first()
    values = {field.attname: getattr(row, field.attname) for field in model._meta.concrete_fields}
    remove_triggers(plan=["by hand"])
    model.objects.all().delete()
    model.objects.create(**{**values, "value": float("inf")})

    backup(tmp_path / "backup")
    empty()
    restore(tmp_path / "backup")
    assert model.objects.get().value == float("inf")


def test_storage_of_another_kind(registry, settings, empty, tmp_path):
    """Nothing needs files to have paths: so it is with S3."""
    files = stored_files()
    backup(tmp_path / "backup")
    empty()
    memory = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    settings.STORAGES = settings.STORAGES | {"default": memory}
    restore(tmp_path / "backup")

    for name, content in files.items():
        if not name.startswith("uploads/"):
            with default_storage.open(name) as file:
                assert file.read() == content
    backup(tmp_path / "again", "--link")
    first, again = (read_manifest(tmp_path / name) for name in ("backup", "again"))
    assert (first.tables, first.files, first.bytes) == (again.tables, again.files, again.bytes)


def test_links_instead_of_copies(registry, tmp_path):
    backup(tmp_path / "first")
    backup(tmp_path / "second", "--previous", tmp_path / "first")
    backup(tmp_path / "third", "--link")

    name = registry["Dataset"].opener.name
    copies = [tmp_path / folder / "files" / name for folder in ("first", "second", "third")]
    assert copies[0].samefile(copies[1])
    assert copies[2].samefile(default_storage.path(name))
    assert not copies[0].samefile(copies[2])


def test_a_backup_is_for_the_eyes_of_its_user(registry, tmp_path):
    backup(tmp_path / "backup")
    for path in (tmp_path / "backup").iterdir():
        if path.is_dir():
            assert path.stat().st_mode & 0o077 == 0, path
    assert (tmp_path / "backup").stat().st_mode & 0o077 == 0


# --- From one database to another ----------------------------------------------------------------


def on_sqlite(folder: Path, *command: object) -> None:
    """Run a command of manage.py on an SQLite instance in `folder`."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "manage.py", *map(str, command)],
        cwd=ROOT,
        env={**kept, "VAR_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_another_database_takes_it_and_gives_it_back(registry, empty, tmp_path):
    """From the database of this run to SQLite and back; in the run on PostgreSQL, across both."""
    rows = all_rows()
    backup(tmp_path / "here")
    on_sqlite(tmp_path / "there", "migrate", "--verbosity=0")
    on_sqlite(tmp_path / "there", "restore", tmp_path / "here")
    on_sqlite(tmp_path / "there", "backup", tmp_path / "back")

    here, back = (read_manifest(tmp_path / name) for name in ("here", "back"))
    assert (here.database, back.database) == (connection.vendor, "sqlite")
    assert [(t.model, t.columns, t.rows, t.digest) for t in back.tables] == [
        (t.model, t.columns, t.rows, t.digest) for t in here.tables
    ]
    empty()
    restore(tmp_path / "back")
    # A list of files that is written in another order is another list, of the same files.
    assert all_rows() == rows


# --- While the server runs -----------------------------------------------------------------------


def test_a_backup_is_of_one_moment(registry, alice, shared_database, empty, tmp_path):
    """Somebody registers all the time: what a row says is there, and nothing waits for it."""
    stop, made = threading.Event(), []

    def register() -> None:
        try:
            while not stop.is_set():
                made.append(make_dataset(alice).key)
        finally:
            connections.close_all()

    thread = threading.Thread(target=register)
    thread.start()
    try:
        folders = [tmp_path / f"backup-{number}" for number in range(3)]
        for folder in folders:
            before = len(made)
            while len(made) == before and thread.is_alive():
                stop.wait(0.01)
            backup(folder)
    finally:
        stop.set()
        thread.join(60)

    counts = []
    for folder in folders:
        manifest = read_manifest(folder)
        rows = {table.model: table.rows for table in manifest.tables}
        listed = [json.loads(line) for line in (folder / "files.jsonl").read_text().splitlines()]
        assert all((folder / "files" / name).stat().st_size == size for name, _, size in listed)
        names = {name for name, _, _ in listed}
        of_datasets = [name for name in names if name.startswith("datasets/")]
        assert len(of_datasets) == 2 * rows["assets.dataset"]
        counts.append(rows["assets.dataset"])
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]
    empty()
    restore(folders[-1])
    assert Dataset.objects.count() == counts[-1]
    assert DataSample.objects.exists()
