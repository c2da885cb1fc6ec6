"""What a page sees of an archive: enough of it, and never more than somebody would wait for."""

import io
import struct
import tarfile
import zipfile
from functools import partial

import pytest

from assets.common.files.archives import preview
from assets.common.files.archives.preview import ArchivePreview, preview_archive
from tests.builders import tar_of, upload, zip_of
from tests.functions.archives import FILES

KINDS = {
    "zip": zip_of,
    "tar": partial(tar_of, mode="w"),
    "tar.gz": tar_of,
    "tar.bz2": partial(tar_of, mode="w:bz2"),
    "tar.xz": partial(tar_of, mode="w:xz"),
}
every_kind = pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)


def see(archive: bytes, name: str = "Dockerfile", limit: int = 200_000) -> ArchivePreview:
    return preview_archive(upload(archive), name, limit)


def sizes(seen: ArchivePreview) -> dict[str, int]:
    return {file.name: file.size for file in seen.files}


@every_kind
@pytest.mark.parametrize("name", FILES)
def test_files_are_listed_and_one_is_read(name, make):
    seen = see(make(FILES), name)
    assert sizes(seen) == {name: len(content) for name, content in FILES.items()}
    assert seen.is_all
    assert seen.content == (None if name == "large.txt" else FILES[name])


@every_kind
def test_a_file_that_is_not_there(make):
    seen = see(make(FILES), "src")
    assert (seen.find("src"), seen.content, seen.is_all) == (None, None, True)


@every_kind
def test_content_that_would_be_no_header(make):
    """What bounds headers, such as their length, does not bound files."""
    content = b"1" * 150_000
    assert see(make({"a": b"", "digits": content, "b": b""}), "digits").content == content


@every_kind
def test_names_are_plain_paths(make):
    seen = see(make({"./Dockerfile": b"FROM x"}))
    assert (list(sizes(seen)), seen.content) == (["Dockerfile"], b"FROM x")


def test_folders_are_no_files():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.mkdir("src")
        archive.writestr("src/a", b"1")
    assert sizes(see(buffer.getvalue())) == {"src/a": 1}


@every_kind
def test_only_the_first_of_many_files(make, monkeypatch):
    monkeypatch.setattr(preview, "MAX_ENTRIES_SEEN", 3)
    many = {f"{number}": b"" for number in range(5)}
    seen = see(make(many))
    assert (list(sizes(seen)), seen.is_all) == (["0", "1", "2"], False)


def test_the_wanted_file_of_a_zip_need_not_be_among_the_first(monkeypatch):
    monkeypatch.setattr(preview, "MAX_ENTRIES_SEEN", 3)
    many = {f"{number}": b"" for number in range(5)}
    assert see(zip_of({**many, "Dockerfile": b"FROM x"})).content == b"FROM x"


@pytest.mark.parametrize("kind", ["tar.gz", "tar.bz2", "tar.xz"])
def test_no_more_is_unpacked_than_somebody_waits_for(kind, monkeypatch):
    """100 MB of zeros make some kilobytes; what follows them would take unpacking them."""
    places = []
    go_on = tarfile.TarFile.next
    monkeypatch.setattr(
        tarfile.TarFile, "next", lambda self: places.append(self.offset) or go_on(self)
    )
    bomb = {"Dockerfile": b"FROM x", "zeros": b"\0" * 100_000_000, "after": b""}
    seen = see(KINDS[kind](bomb))
    assert (list(sizes(seen)), seen.is_all) == (["Dockerfile", "zeros"], False)
    assert seen.content == b"FROM x"
    assert max(places) < 10_000


@pytest.mark.parametrize(("kind", "is_all"), [("tar", True), ("tar.gz", True), ("tar.bz2", False)])
def test_less_is_seen_of_what_unpacks_slowly(kind, is_all):
    assert see(KINDS[kind]({"Dockerfile": b"FROM x", "a": b"1" * 9_000_000})).is_all == is_all


def test_an_archive_that_is_large_itself_is_not_opened(monkeypatch):
    monkeypatch.setattr(preview, "MAX_SIZE_SEEN", 100)
    assert see(zip_of(FILES)) == ArchivePreview()


def test_a_zip_with_a_long_table_is_not_read(monkeypatch):
    monkeypatch.setattr(preview, "MAX_TABLE_SIZE_SEEN", 200)
    assert see(zip_of(FILES)) == ArchivePreview()


def packed_by(method: int, *, called: int | None = None) -> bytes:
    """A zip whose members are packed by a method, and called by another one."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("Dockerfile", b"FROM x")
        archive.writestr("a", b"")
    data = buffer.getvalue()
    if called is None:
        return data
    for magic, at in ((b"PK\3\4", 8), (b"PK\1\2", 10)):
        before, *members = data.split(magic)
        called_so = [m[: at - 4] + struct.pack("<H", called) + m[at - 2 :] for m in members]
        data = magic.join([before, *called_so])
    return data


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_methods_are_read(method):
    seen = see(packed_by(method))
    assert (list(sizes(seen)), seen.is_all, seen.content) == (["Dockerfile", "a"], True, b"FROM x")


@pytest.mark.parametrize(("method", "name"), [(9, "Deflate64"), (93, "Zstandard"), (77, "method")])
def test_methods_that_are_not_read_are_listed_with_their_name(method, name):
    seen = see(packed_by(zipfile.ZIP_STORED, called=method))
    assert (list(sizes(seen)), seen.is_all, seen.content) == (["Dockerfile", "a"], True, None)
    assert name in seen.files[0].packed_by


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_no_more_of_a_member_is_unpacked_than_it_should_hold(method):
    """Here it holds a million bytes, and says that it holds six."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("Dockerfile", bytes(1_000_000))
    size = struct.pack("<L", 1_000_000)
    seen = see(buffer.getvalue().replace(size, struct.pack("<L", 6)))
    assert (sizes(seen), seen.content) == ({"Dockerfile": 6}, None)


@pytest.mark.parametrize(
    "archive",
    [b"", b"no archive", zip_of(FILES)[:-30], tar_of(FILES)[:20], zip_of({"../a": b"1"})],
    ids=["nothing", "text", "half a zip", "half a tar", "unsafe"],
)
def test_what_cannot_be_read_is_no_error(archive):
    assert see(archive) == ArchivePreview()


def test_one_damaged_file_of_a_zip():
    archive = zip_of({"Dockerfile": b"FROM python", "a": b""}).replace(b"FROM", b"MORF")
    seen = see(archive)
    assert (list(sizes(seen)), seen.content) == (["Dockerfile", "a"], None)
