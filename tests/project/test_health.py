"""`/livez` and `/readyz`: who gets an answer, what they check, and how long they take."""

import threading

import pytest
from django.core.files.storage import FileSystemStorage
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from assets.common.ops import health

pytestmark = pytest.mark.postgresql


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
@pytest.mark.parametrize("host", ["10.1.2.3", "pod-7.internal:8000", "registrar.example"])
def test_probes_come_by_any_name(path, host, db, settings):
    settings.ALLOWED_HOSTS = ["registrar.example"]
    settings.SECURE_SSL_REDIRECT = True
    answer = Client().get(path, HTTP_HOST=host)
    assert (answer.status_code, answer.content) == (200, b"OK")
    assert Client().get("/sign-in/", HTTP_HOST="10.1.2.3", secure=True).status_code == 400


def test_being_alive_needs_nothing():
    assert Client().get("/livez").status_code == 200


def test_migrations_that_are_not_applied(db, monkeypatch):
    applied = MigrationRecorder.applied_migrations

    def fewer(recorder):
        return {key: row for key, row in applied(recorder).items() if key[0] != "assets"}

    monkeypatch.setattr(MigrationRecorder, "applied_migrations", fewer)
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.content) == (503, b"not ready: migrations")


def test_a_newer_version_may_have_migrated_already(db, monkeypatch):
    applied = MigrationRecorder.applied_migrations

    def more(recorder):
        return {**applied(recorder), ("assets", "9999_of_the_future"): None}

    monkeypatch.setattr(MigrationRecorder, "applied_migrations", more)
    assert Client().get("/readyz").status_code == 200


def test_what_hangs_is_not_waited_for(db, monkeypatch):
    released = threading.Event()
    monkeypatch.setattr(health, "PATIENCE", 0.2)
    monkeypatch.setattr(FileSystemStorage, "save", lambda *args, **options: released.wait(60))
    try:
        answer = Client().get("/readyz")
    finally:
        released.set()
    assert (answer.status_code, answer.content) == (503, b"not ready: storage")


def test_a_flood_of_probes_looks_once(db, monkeypatch):
    looked = []
    monkeypatch.setattr(health, "FRESH", 3600)  # so that a slow machine does not outlast it
    monkeypatch.setattr(health, "_broken", lambda: looked.append(1) or ["storage"])
    assert [Client().get("/readyz").status_code for _ in range(20)] == [503] * 20
    assert len(looked) == 1


def test_what_is_broken_is_shown_without_its_insides(db, monkeypatch):
    def refuse(*args, **options):
        raise ConnectionError("https://s3.internal/bucket?key=AKIA1234")

    monkeypatch.setattr(FileSystemStorage, "save", refuse)
    assert Client().get("/readyz").content == b"not ready: storage"


def test_a_storage_that_works_is_not_written_for_each_probe(db, monkeypatch):
    monkeypatch.setattr(health, "FRESH", 0)
    monkeypatch.setattr(health, "STORAGE_FRESH", 3600)
    written = []
    save = FileSystemStorage.save
    monkeypatch.setattr(
        FileSystemStorage, "save", lambda *args, **kw: written.append(1) or save(*args, **kw)
    )
    assert [Client().get("/readyz").status_code for _ in range(5)] == [200] * 5
    assert len(written) == 1


def test_a_storage_that_fails_is_tried_again_by_the_next_probe(db, monkeypatch):
    monkeypatch.setattr(health, "FRESH", 0)
    with monkeypatch.context() as failing:
        failing.setattr(FileSystemStorage, "save", lambda *args, **options: 1 / 0)
        assert Client().get("/readyz").status_code == 503
    assert Client().get("/readyz").status_code == 200
