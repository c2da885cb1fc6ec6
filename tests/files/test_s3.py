"""Files in S3, over a server that speaks its protocol: what works on a disk works there."""

import hashlib
import io
import random
import uuid

import pytest
import requests
from botocore.exceptions import ClientError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.test import Client

from assets.common.files import s3
from assets.common.files.pending import PendingFiles
from assets.common.files.storage import NoSpace, StorageError
from assets.datasets.models import DataSample
from tests import builders

from .registrations import WITH_FILES
from .s3 import Bucket, new_bucket, s3_server
from .stored import NOT_REGISTERED, row_counts
from .test_ranges import (
    CONDITIONS,
    CONTENT,
    ETAG,
    assert_is_part,
    body_of,
    dated,
    in_short,
    ranges,
)
from .test_together import failing_at_insert

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="session")
def s3_url():
    with s3_server() as url:
        yield url


@pytest.fixture
def bucket(s3_url, settings) -> Bucket:
    bucket = new_bucket(s3_url)
    storage = {"BACKEND": "assets.common.files.s3.AssetStorage", "OPTIONS": bucket.options}
    settings.STORAGES = {**settings.STORAGES, "default": storage}
    return bucket


@pytest.fixture
def s3_is_down(bucket, settings):
    """Call it, and no one listens where S3 was."""

    def fail():
        options = {**bucket.options, "endpoint_url": "http://127.0.0.1:9"}
        default = {**settings.STORAGES["default"], "OPTIONS": options}
        settings.STORAGES = {**settings.STORAGES, "default": default}

    return fail


@pytest.fixture
def client(alice, client_of):
    client = client_of(alice)
    client.raise_request_exception = False
    return client


@pytest.fixture
def dataset(bucket, alice):
    opener = builders.upload(CONTENT, "opener.py")
    return builders.make_dataset(alice, data_opener=opener, permissions=builders.only_to())


@pytest.fixture
def url(dataset):
    return f"/api/data_manager/{dataset.key}/opener/"


# --- Registering ---------------------------------------------------------------------------------


def test_a_dataset_samples_and_a_function_through_the_api(bucket, client):
    dataset = client.post(
        "/api/data_manager/",
        builders.multipart(
            {"name": "Blood counts", "type": "tabular"},
            data_opener=builders.upload(builders.OPENER, "opener.py"),
            description=builders.upload(builders.DESCRIPTION, "description.md"),
        ),
    ).json()
    data = {f"part{n}": builders.zip_of({"data.csv": b"%d" % n}) for n in range(3)}
    samples = client.post(
        "/api/data_sample/",
        builders.multipart(
            {"data_manager_keys": [dataset["key"]], "multiple": True},
            **{name: builders.upload(content, f"{name}.zip") for name, content in data.items()},
        ),
    ).json()
    archive = builders.tar_of(builders.CODE)
    function = client.post(
        "/api/function/",
        builders.multipart(
            {"name": "Train", "inputs": {}, "outputs": {}},
            file=builders.upload(archive, "function.tar.gz"),
            description=builders.upload(builders.DESCRIPTION, "description.md"),
        ),
    ).json()

    stored = [DataSample.objects.get(pk=sample["key"]).archive.name for sample in samples]
    assert bucket.files() == {
        f"datasets/{dataset['key']}/opener.py": builders.OPENER,
        f"datasets/{dataset['key']}/description.md": builders.DESCRIPTION,
        **dict(zip(stored, data.values(), strict=True)),
        f"functions/{function['key']}/function.tar.gz": archive,
        f"functions/{function['key']}/description.md": builders.DESCRIPTION,
    }
    for shown, content in (
        (dataset["opener"], builders.OPENER),
        (dataset["description"], builders.DESCRIPTION),
        (function["archive"], archive),
    ):
        assert shown["checksum"] == hashlib.sha256(content).hexdigest()
        assert body_of(client.get(shown["storage_address"])) == content
    call_command("check_files", stdout=io.StringIO())


def test_nothing_says_that_a_file_is_packed(bucket, alice):
    """Whoever reads a tar.gz from S3 itself would get a tar."""
    function = builders.make_function(
        alice, file=builders.upload(builders.tar_of(builders.CODE), "function.tar.gz")
    )
    shown = bucket.client.head_object(Bucket=bucket.name, Key=function.archive.name)
    assert ("ContentEncoding" in shown, shown["ContentType"]) == (False, "application/octet-stream")


@pytest.mark.parametrize("registration", WITH_FILES.values(), ids=WITH_FILES)
def test_a_registration_that_fails_leaves_nothing(bucket, alice, registration):
    register = registration.prepare(alice)
    before = row_counts(), bucket.files()
    with failing_at_insert(1) as failed, pytest.raises(Exception, match="gone away"):
        register(alice)
    assert failed
    assert (row_counts(), bucket.files()) == before


def test_a_large_file_is_sent_in_parts(bucket):
    """No one asks for all of it at once."""
    data, sizes = random.Random(7).randbytes(2 * s3.WINDOW + 1000), []

    class Counted(ContentFile):
        def read(self, size=-1):
            sizes.append(size)
            return self.file.read(size)

    saved = default_storage.save("large", Counted(data, name="x"))
    assert bucket.files()[saved] == data
    assert default_storage.size(saved) == len(data)
    assert min(sizes) > 0
    assert max(sizes) <= s3.WINDOW


def test_a_large_file_that_is_cut_off_leaves_nothing(bucket, alice):
    class Broken(ContentFile):
        def read(self, size=-1):
            if self.tell() >= s3.WINDOW:
                raise OSError("the disk is gone")
            return self.file.read(size)

    broken = Broken(b"0" * (3 * s3.WINDOW), name="x")
    with pytest.raises(StorageError, match="cannot be written"):
        builders.make_dataset(alice, data_opener=broken)
    assert (bucket.files(), bucket.unfinished()) == ({}, [])


# --- Reading -------------------------------------------------------------------------------------


@ranges
def test_a_range(client, url, header, content, place):
    assert_is_part(client.get(url, HTTP_RANGE=header), content, place)


@pytest.mark.parametrize(("headers", "status"), CONDITIONS, ids=in_short)
def test_a_condition(client, url, dataset, settings, headers, status):
    """What is ours to answer is; the file itself comes from S3."""
    settings.DOWNLOADS = "s3-redirect"
    headers = {name: dated(value, dataset) for name, value in headers.items()}
    answer = client.get(url, headers=headers)
    ours = {"if-match", "if-unmodified-since"} & set(headers)
    redirected = status == 200 and not ours
    assert answer.status_code == (302 if redirected else status)


def test_it_reads_as_a_file_does(bucket):
    """From anywhere, over the border of what is asked for at once, and no more than is read."""
    data = random.Random(5).randbytes(s3.WINDOW + 5000)
    bucket.put("large", data)
    with default_storage.open("large") as file, io.BytesIO(data) as same:
        for offset, whence, size in (
            (0, 0, 10),
            (s3.WINDOW - 100, 0, 300),
            (-50, 2, 100),
            (-70, 1, 20),
            (5, 0, 0),
            (len(data) + 5, 0, 10),
            (0, 0, -1),
        ):
            assert file.seek(offset, whence) == same.seek(offset, whence)
            assert file.read(size) == same.read(size)
            assert file.tell() == same.tell()


def test_pages_read_what_they_show(bucket, alice, session_of):
    function = builders.make_function(alice)
    page = session_of(alice).get(f"/functions/{function.key}/")
    assert "Dockerfile" in page.text
    assert "Taken in the ward" in page.text


def test_a_file_that_is_lost(client, url, dataset, bucket):
    bucket.delete(dataset.opener.name)
    assert client.get(url).status_code == 500
    with pytest.raises(CommandError):
        call_command("check_files", stdout=io.StringIO())


# --- Redirected to S3 ----------------------------------------------------------------------------


def test_s3_sends_it(client, url, dataset, settings):
    settings.DOWNLOADS = "s3-redirect"
    answer = client.get(url)
    assert (answer.status_code, answer["Cache-Control"]) == (302, "private, no-store")
    got = requests.get(answer["Location"], timeout=10)
    assert got.content == CONTENT
    assert got.headers["Content-Disposition"] == 'attachment; filename="opener.py"'
    assert got.headers["Content-Type"] == "application/octet-stream"
    part = requests.get(answer["Location"], headers={"Range": "bytes=2-5"}, timeout=10)
    assert (part.status_code, part.content) == (206, b"2345")
    assert "X-Amz-Expires=60" in answer["Location"]


def test_the_address_in_s3_is_for_who_may_have_the_file(client_of, carol, url, settings):
    settings.DOWNLOADS = "s3-redirect"
    answer = client_of(carol).get(url)
    assert (answer.status_code, answer.has_header("Location")) == (403, False)


def test_what_depends_on_our_validators_is_answered_by_us(client, url, settings):
    settings.DOWNLOADS = "s3-redirect"
    assert client.head(url)["ETag"] == ETAG
    assert client.get(url, headers={"if-none-match": ETAG}).status_code == 304
    answer = client.get(url, headers={"range": "bytes=5-", "if-range": ETAG})
    assert (answer.status_code, body_of(answer)) == (206, b"56789")


# --- Looking after it ----------------------------------------------------------------------------


def test_what_no_row_names_is_found(bucket, dataset):
    bucket.put("datasets/stray", b"x")
    bucket.put(dataset.description.name, b"something else")
    out = io.StringIO()
    with pytest.raises(CommandError, match="missing, damaged or orphans"):
        call_command("check_files", stdout=out)
    assert "datasets/stray" in out.getvalue()
    assert f"mismatch   dataset {dataset.key} {dataset.description.name}" in out.getvalue()


def test_readiness_writes_and_leaves_nothing(bucket):
    assert Client().get("/readyz").status_code == 200
    assert bucket.files() == {}


def test_a_prefix_keeps_registries_apart(bucket, alice, settings):
    options = {**bucket.options, "location": "first"}
    default = {**settings.STORAGES["default"], "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": default}
    bucket.put("stray of another", b"x")
    dataset = builders.make_dataset(alice)
    assert f"first/{dataset.opener.name}" in bucket.files()
    call_command("check_files", stdout=io.StringIO())


# --- When S3 is down -----------------------------------------------------------------------------


def test_registering_asks_to_try_again(client, s3_is_down):
    s3_is_down()
    # What storage would not remove is remembered, and removed later.
    rows = {"without": {*NOT_REGISTERED, "PendingFiles"}}
    before = row_counts(**rows)
    answer = client.post(
        "/api/data_manager/",
        builders.multipart(
            {"name": "Blood counts", "type": "tabular"},
            data_opener=builders.upload(builders.OPENER, "opener.py"),
            description=builders.upload(builders.DESCRIPTION, "description.md"),
        ),
    )
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "does not respond" in answer.json()["detail"]
    assert row_counts(**rows) == before
    assert PendingFiles.objects.get().abandoned


@pytest.mark.parametrize("code", s3.FULL)
def test_a_store_that_is_full(code):
    with pytest.raises(NoSpace), s3.storage_errors("x"):
        raise ClientError({"Error": {"Code": code}}, "PutObject")


def test_downloads_ask_to_try_again(client, url, s3_is_down):
    s3_is_down()
    assert client.get(url).status_code == 503
    # What needs no storage is answered all the same.
    assert client.get(url, headers={"if-none-match": ETAG}).status_code == 304
    assert client.head(url).status_code == 200


def test_pages_show_what_the_database_knows(alice, session_of, dataset, s3_is_down):
    s3_is_down()
    page = session_of(alice).get(f"/datasets/{dataset.key}/")
    assert page.status_code == 200
    assert dataset.name in page.text


def test_readiness_says_what_is_down(bucket, s3_is_down):
    s3_is_down()
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.text) == (503, "not ready: storage")


def test_a_bucket_that_is_not_there(bucket, settings):
    options = {**bucket.options, "bucket_name": f"other-{uuid.uuid4()}"}
    default = {**settings.STORAGES["default"], "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": default}
    with pytest.raises(StorageError, match="NoSuchBucket"):
        default_storage.save("x", ContentFile(b"x"))
