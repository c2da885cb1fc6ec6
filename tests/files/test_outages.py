"""A storage or database that is full or fails: 507 or 503 everywhere, nothing half-written."""

import errno
from contextlib import contextmanager
from pathlib import Path

import psycopg.errors
import pytest
from django.db import OperationalError, connection
from django.urls import reverse

from assets.common.files.folder import AssetStorage
from assets.uploads.models import Upload
from tests import builders

from .stored import nothing_left, row_counts, stored_files

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

SAYS = {507: "has no space left", 503: "does not respond"}
TYPED = {"name": "Typed by hand", "type": "images"}


@contextmanager
def storage_fails(number):
    """Have half of each file written, and then the system say so."""

    def save(storage, name, content):
        path = Path(storage.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.read(3))
        raise OSError(number, "the system says so")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AssetStorage, "_save", save)
        yield


@contextmanager
def database_fails(cause=None, table="dataset"):
    """Have the database refuse to insert assets."""

    def execute(call, sql, params, many, context):
        if sql.startswith("INSERT") and f"assets_{table}" in sql:
            raise OperationalError("no") from cause
        return call(sql, params, many, context)

    with connection.execute_wrapper(execute):
        yield


class SQLiteFull(Exception):
    sqlite_errorcode = 13  # SQLITE_FULL


OUTAGES = {
    "no space on the disk": (lambda: storage_fails(errno.ENOSPC), 507),
    "quota of the disk": (lambda: storage_fails(errno.EDQUOT), 507),
    "a disk that fails": (lambda: storage_fails(errno.EIO), 503),
    "PostgreSQL is full": (lambda: database_fails(psycopg.errors.DiskFull()), 507),
    "SQLite is full": (lambda: database_fails(SQLiteFull()), 507),
    "the database is gone": (database_fails, 503),
}


@pytest.fixture(params=OUTAGES.values(), ids=OUTAGES)
def outage(request):
    return request.param


def files():
    return {
        "data_opener": builders.upload(builders.OPENER, "opener.py"),
        "description": builders.upload(b"# Text\n", "description.md"),
    }


def test_api(outage, alice, client_of):
    fails, status = outage
    client = client_of(alice)
    client.raise_request_exception = False
    with nothing_left(), fails():
        answer = client.post("/api/data_manager/", builders.wire_dataset(builders.dataset_spec()))
    assert answer.status_code == status
    assert SAYS[status] in answer.json()["detail"]
    assert answer.json()["request_id"]
    assert answer.has_header("Retry-After") == (status == 503)


@pytest.mark.parametrize("url_name", ["dataset-new", "admin:assets_dataset_add"])
def test_form(url_name, outage, alice, session_of):
    """What was typed is still there, and so are the files once there is room again."""
    fails, status = outage
    browser = session_of(alice)
    before = row_counts(without={"ApiToken", "User", "Upload"})
    with fails():
        answer = browser.post(reverse(url_name), {**TYPED, **files()})
    assert answer.status_code == status
    assert SAYS[status] in answer.text
    assert 'value="Typed by hand"' in answer.text
    stored = {upload.file.name for upload in Upload.objects.all()}
    assert set(stored_files()) == stored
    after = row_counts(without={"ApiToken", "User", "Upload"})
    assert after == before


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_files_sent_ahead(number, alice, session_of):
    status = 507 if number == errno.ENOSPC else 503
    browser = session_of(alice)
    with nothing_left(), storage_fails(number):
        answer = browser.post(
            "/uploads/opener/", {"field": "data_opener", "file": files()["data_opener"]}
        )
    assert answer.status_code == status
    assert answer.text.startswith("<li")
    assert SAYS[status] in answer.text


def test_a_page_that_fails_for_want_of_space(alice, session_of, monkeypatch):
    """As when an upload does not fit into the folder of temporary files."""
    browser = session_of(alice)
    browser.raise_request_exception = False

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("assets.datasets.pages.datasets.DatasetRegisterPage.dispatch", full)
    answer = browser.post(reverse("dataset-new"), TYPED)
    assert answer.status_code == 507
    assert SAYS[507] in answer.text


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has no such limit")
@pytest.mark.django_db(transaction=True)
def test_sqlite_itself(alice, client_of):
    """A database file that cannot grow says so as a full disk does."""
    client = client_of(alice)
    client.raise_request_exception = False
    task = builders.aggregate_task(builders.make_aggregate(alice, inputs=()), "MyOrg1MSP")
    spec = builders.plan_spec(tasks=[task], metadata={str(n): "x" * 100 for n in range(2000)})
    with connection.cursor() as cursor:
        pages = cursor.execute("PRAGMA page_count").fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count = {pages}")
        try:
            with nothing_left():
                answer = client.post("/api/compute_plan/", builders.wire_plan(spec), format="json")
        finally:
            cursor.execute("PRAGMA max_page_count = 1073741823")
    assert (answer.status_code, SAYS[507] in answer.json()["detail"]) == (507, True)
