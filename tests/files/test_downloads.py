"""Downloads: exactly the bytes that were uploaded, streamed, under a name of ours."""

import random

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import FileResponse

from tests import builders
from tests.permissions.consortium import (
    FUNCTION_LOGS,
    LOGS,
    MODEL,
    VISIBILITIES,
    make_assets,
)

pytestmark = pytest.mark.django_db

TEXT, MARKDOWN, BYTES = (
    "text/plain; charset=utf-8",
    "text/markdown; charset=utf-8",
    "application/octet-stream",
)
CODE = builders.zip_of(builders.CODE)

# Address, content, type, file name; {...} is a key.
DOWNLOADS = [
    ("data_manager/{dataset}/opener/", builders.OPENER, BYTES, "opener.py"),
    ("data_manager/{dataset}/description/", builders.DESCRIPTION, MARKDOWN, "description.md"),
    ("function/{function}/file/", None, BYTES, "function.zip"),
    ("function/{function}/description/", builders.DESCRIPTION, MARKDOWN, "description.md"),
    ("model/{model}/file/", MODEL, BYTES, "model_{model}"),
    ("task/{failed}/logs/", LOGS, TEXT, "tuple_logs_{failed}.txt"),
    ("logs/{failed}/file/", LOGS, TEXT, "tuple_logs_{failed}.txt"),
    ("logs/{function}/file/", FUNCTION_LOGS, TEXT, "tuple_logs_{function}.txt"),
]
ADDRESSES = [row[0] for row in DOWNLOADS]


@pytest.fixture
def keys(alice):
    assets = make_assets(alice, VISIBILITIES["private"])
    names = ("dataset", "function", "model", "failed")
    return {name: str(getattr(assets, name).key) for name in names}


@pytest.fixture
def client(alice, client_of):
    return client_of(alice)


def body_of(answer) -> bytes:
    """Read a streamed answer to its end, which also closes the file."""
    assert isinstance(answer, FileResponse)
    assert answer.streaming
    return b"".join(answer.streaming_content)


@pytest.mark.parametrize(
    ("address", "content", "content_type", "filename"), DOWNLOADS, ids=ADDRESSES
)
def test_the_very_bytes(client, keys, address, content, content_type, filename):
    answer = client.get(f"/api/{address.format(**keys)}")
    assert answer.status_code == 200
    body = body_of(answer)
    assert content is None or body == content
    assert answer["Content-Type"] == content_type
    assert answer["Content-Disposition"] == f'attachment; filename="{filename.format(**keys)}"'
    assert answer["Content-Length"] == str(len(body))
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Access-Control-Expose-Headers"] == "Content-Disposition"


@pytest.mark.parametrize("address", ADDRESSES)
def test_head_shows_the_same_without_the_bytes(client, keys, address):
    get, head = (
        getattr(client, verb)(f"/api/{address.format(**keys)}") for verb in ("get", "head")
    )
    assert head.status_code == 200
    for name in ("Content-Disposition", "Content-Type", "Content-Length", "ETag", "Accept-Ranges"):
        assert head[name] == get[name]
    assert body_of(get)
    assert not head.content


# How else a key may be spelt, that of Python's own liking included.
SPELLINGS = {
    "upper case": str.upper,
    "without hyphens": lambda key: key.replace("-", ""),
    "in braces": lambda key: f"{{{key}}}",
    "as a URN": lambda key: f"urn:uuid:{key}",
    "with hyphens without end": lambda key: "-" * 50 + key,
}


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize(
    ("address", "filename"), [(row[0], row[3]) for row in DOWNLOADS], ids=ADDRESSES
)
def test_the_file_name_is_ours_however_the_key_is_spelt(client, keys, spell, address, filename):
    spelt = {name: spell(key) for name, key in keys.items()}
    answer = client.get(f"/api/{address.format(**spelt)}")
    assert answer.status_code == 200
    assert body_of(answer)
    assert answer["Content-Disposition"] == f'attachment; filename="{filename.format(**keys)}"'


HOSTILE = ('x"; filename="evil.html', "../../evil", "a\r\nSet-Cookie: a=b", "été\u202etxt.exe")


@pytest.mark.parametrize("name", HOSTILE)
def test_the_file_name_is_not_the_uploader_s(alice, client, name):
    files = {field: SimpleUploadedFile("x", b"1") for field in ("data_opener", "description")}
    for file in files.values():
        file._name = name
    dataset = builders.make_dataset(alice, name=name.replace("\r\n", " "), **files)
    for part, filename in (("opener", "opener.py"), ("description", "description.md")):
        answer = client.get(f"/api/data_manager/{dataset.key}/{part}/")
        assert body_of(answer) == b"1"
        assert answer["Content-Disposition"] == f'attachment; filename="{filename}"'
        assert not answer.has_header("Set-Cookie")


PACKERS = {
    "function.zip": lambda files: builders.zip_of(files),
    "function.tar": lambda files: builders.tar_of(files, "w"),
    "function.tar.gz": lambda files: builders.tar_of(files, "w:gz"),
    "function.tar.bz2": lambda files: builders.tar_of(files, "w:bz2"),
    "function.tar.xz": lambda files: builders.tar_of(files, "w:xz"),
}


@pytest.mark.parametrize("filename", PACKERS)
def test_an_archive_comes_back_as_it_was_under_the_suffix_that_fits(alice, client, filename):
    archive = PACKERS[filename](builders.CODE)
    function = builders.make_function(alice, file=builders.upload(archive, "evil.html"))
    answer = client.get(f"/api/function/{function.key}/file/")
    assert body_of(answer) == archive
    assert answer["Content-Disposition"] == f'attachment; filename="{filename}"'


def test_large_files_leave_in_pieces(alice, client):
    data = random.Random(3).randbytes(5_000_000)
    dataset = builders.make_dataset(alice, data_opener=builders.upload(data))
    answer = client.get(f"/api/data_manager/{dataset.key}/opener/")
    pieces = list(answer.streaming_content)
    assert b"".join(pieces) == data
    assert max(map(len, pieces)) <= 2**20


def test_a_removed_model_is_gone(alice, client, keys):
    done = make_assets(alice, VISIBILITIES["public"]).done
    disabled = builders.make_model(done.key, content=b"")
    answer = client.get(f"/api/model/{disabled.key}/file/")
    assert (answer.status_code, answer.json()) == (410, {"detail": "Asset not available anymore"})


def test_models_stay_here_where_export_is_switched_off(client, keys, settings):
    settings.MODEL_EXPORT_ENABLED = False
    answer = client.get(f"/api/model/{keys['model']}/file/")
    assert (answer.status_code, answer.json()) == (403, {"detail": "Unauthorized"})


def test_nothing_is_served_by_its_name_in_storage(client, keys, anonymous):
    name = f"datasets/{keys['dataset']}/opener.py"
    for root in ("", "files/", "media/", "static/", "api/", "api/files/"):
        for asking in (client, anonymous):
            assert asking.get(f"/{root}{name}").status_code == 404
