"""Uploads on their way to storage: streamed, hashed in the same pass, bounded, under our names."""

import hashlib
import io
import random

import pytest
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile

from assets.common.files.batch import file_batch
from assets.common.files.pending import Names, PendingFiles
from assets.common.files.storage import StorageError
from assets.datasets import registration as datasets
from assets.datasets.models import DataSample, Dataset
from assets.datasets.registration import register_data_samples
from assets.datasets.specs import DataSampleSpec
from assets.functions.models import Function
from tests import builders

from .stored import nothing_left, stored_files

pytestmark = pytest.mark.django_db

# Above FILE_UPLOAD_MAX_MEMORY_SIZE, so that it is in a temporary file.
LARGE = random.Random(7).randbytes(3_000_000)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def client(alice, client_of):
    return client_of(alice)


def post_dataset(client, **files):
    spec = builders.dataset_spec(**files)
    return client.post("/api/data_manager/", builders.wire_dataset(spec), format="multipart")


def post_function(client, **files):
    spec = builders.function_spec(**files)
    return client.post("/api/function/", builders.wire_function(spec), format="multipart")


# --- Large files ---------------------------------------------------------------------------------


def test_large_files_are_stored_and_hashed(client, monkeypatch):
    seen = []
    register = datasets.register_dataset
    monkeypatch.setattr(
        datasets,
        "register_dataset",
        lambda spec, actor: seen.append(spec.data_opener.file.name) or register(spec, actor),
    )
    opener = builders.upload(LARGE, "opener.py")
    answer = post_dataset(client, data_opener=opener).json()
    # On the disk, where a file without a name has a number only.
    assert isinstance(seen[0], int)
    dataset = Dataset.objects.get(pk=answer["key"])
    assert stored_files()[dataset.opener.name] == LARGE
    assert answer["opener"]["checksum"] == dataset.opener_checksum == sha256(LARGE)
    assert (dataset.opener_size, dataset.description_size) == (
        len(LARGE),
        len(builders.DESCRIPTION),
    )


@pytest.mark.parametrize("pack", [builders.zip_of, builders.tar_of], ids=["zip", "tar.gz"])
def test_large_archives_are_stored_as_they_came(client, pack):
    """They are read twice, once for what they hold; the checksum is of the whole file."""
    archive = pack({**builders.CODE, "weights": LARGE})
    answer = post_function(client, file=builders.upload(archive, "f.zip")).json()
    function = Function.objects.get(pk=answer["key"])
    assert stored_files()[function.archive.name] == archive
    assert answer["archive"]["checksum"] == function.archive_checksum == sha256(archive)
    assert function.archive_size == len(archive)


class Counted(io.BytesIO):
    """A file that remembers how much of it was asked for at once, and in all."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.sizes: list[int] = []

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self.sizes.append(len(data))
        return data


def test_files_are_never_held_as_a_whole(alice):
    archive = builders.zip_of({"data": LARGE, "more": LARGE[::-1]})
    stream = Counted(archive)
    dataset = builders.make_dataset(alice)
    spec = DataSampleSpec([dataset.key], {"part": File(stream, "part")})
    register_data_samples(spec, alice)
    assert max(stream.sizes) <= File.DEFAULT_CHUNK_SIZE * 2
    # Once to store it, and a little to look at its table of contents.
    assert sum(stream.sizes) < len(archive) * 1.2


def test_a_large_upload_has_no_name_on_its_way(client, settings, tmp_path, monkeypatch):
    """Or a process that is killed would leave it."""
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "temporary"
    settings.FILE_UPLOAD_TEMP_DIR.mkdir()
    named = []
    register = datasets.register_dataset
    monkeypatch.setattr(
        datasets,
        "register_dataset",
        lambda spec, actor: (
            named.extend(settings.FILE_UPLOAD_TEMP_DIR.iterdir()) or register(spec, actor)
        ),
    )
    opener = builders.upload(LARGE, "opener.py")
    assert post_dataset(client, data_opener=opener).status_code == 201
    assert named == []


# --- Batches of files ----------------------------------------------------------------------------


def test_a_name_that_is_taken_is_not_overwritten():
    default_storage.save("kind/name", ContentFile(b"1"))
    with (
        pytest.raises(StorageError, match="already exists"),
        file_batch(Names(["kind/name"])) as files,
    ):
        files.save("kind/name", ContentFile(b"2"))
    assert stored_files() == {"kind/name": b"1"}


def save_and_raise(error):
    with file_batch(Names(["a/b", "c"])) as files:
        files.save("a/b", ContentFile(b"2"))
        assert len(stored_files()) == 2
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_a_batch_that_fails_takes_its_own_files_only(error):
    default_storage.save("c", ContentFile(b"0"))
    with pytest.raises(error):
        save_and_raise(error)
    assert stored_files() == {"c": b"0"}
    assert not PendingFiles.objects.exists()


def test_a_batch_is_committed_or_fails():
    with (
        pytest.raises(RuntimeError, match="commit was not used"),
        file_batch(Names(["a"])) as files,
    ):
        files.save("a", ContentFile(b"1"))
    with pytest.raises(ValueError, match="not announced"), file_batch(Names(["a"])) as files:
        files.save("b", ContentFile(b"1"))
    assert stored_files() == {}


# --- Names ---------------------------------------------------------------------------------------

HOSTILE_NAMES = (
    "../../evil.py",
    "/etc/passwd",
    "C:\\evil",
    "a\r\nX: y",
    '"; x="',
    "été.zip",
    "x" * 300,
)


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_the_name_of_an_upload_is_not_used(alice, name):
    uploads = {field: SimpleUploadedFile("x", b"1") for field in ("data_opener", "description")}
    for upload in uploads.values():
        # As an attacker would have it; the constructor keeps the last part only.
        upload._name = name
    dataset = builders.make_dataset(alice, **uploads)
    assert set(stored_files()) == {
        f"datasets/{dataset.key}/opener.py",
        f"datasets/{dataset.key}/description.md",
    }


# --- What is refused -----------------------------------------------------------------------------

PARTS = {
    "data_opener": lambda client, file: post_dataset(client, data_opener=file),
    "dataset's description": lambda client, file: post_dataset(client, description=file),
    "file": lambda client, file: post_function(client, file=file),
    "function's description": lambda client, file: post_function(client, description=file),
}


def problems_of(answer):
    assert answer.status_code == 400, answer.json()
    return [(item["field"], item["message"]) for item in answer.json()["problems"]]


@pytest.mark.parametrize("part", PARTS)
def test_a_file_above_the_limit(client, settings, part):
    settings.MAX_UPLOAD_SIZE = 2048
    field = part.split()[-1]
    with nothing_left():
        answer = PARTS[part](client, builders.upload(LARGE[:3072]))
    assert problems_of(answer) == [(field, "File too large: 3.0\xa0KB. The limit is 2.0\xa0KB.")]
    assert answer.json()["detail"].startswith("OE0101: ")


@pytest.mark.parametrize("part", PARTS)
def test_a_file_that_is_empty(client, part):
    field = part.split()[-1]
    with nothing_left():
        answer = PARTS[part](client, builders.upload(b""))
    assert problems_of(answer) == [(field, "the file is empty. Choose another file.")]


def test_a_file_at_the_limit(client, settings):
    settings.MAX_UPLOAD_SIZE = 2048
    opener = builders.upload(LARGE[:2048])
    assert post_dataset(client, data_opener=opener).status_code == 201


def test_one_sample_above_the_limit_refuses_all(client, alice, settings):
    dataset = builders.make_dataset(alice)
    settings.MAX_UPLOAD_SIZE = 2048
    archives = {
        "small": builders.upload(builders.zip_of({"a": b"1"})),
        "large": builders.upload(builders.zip_of({"a": LARGE[:3000]})),
    }
    body = builders.wire_samples(DataSampleSpec([dataset.key], archives))
    with nothing_left():
        answer = client.post("/api/data_sample/", body, format="multipart")
    [(field, message)] = problems_of(answer)
    assert (field, message[:15]) == ("large", "File too large:")
    assert not DataSample.objects.exists()
