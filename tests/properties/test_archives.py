"""Random archives are listed truly or refused with a reason; nothing else ever happens."""

import io
import random
import struct
import tarfile
import zipfile
from contextlib import suppress

import pytest
from django.core.files.base import ContentFile, File
from hypothesis import example, given, strategies as st

from assets.common.files.archives import check, tars
from assets.common.files.archives.check import (
    archive_suffix,
    inspect,
    read_entries,
)
from assets.common.files.archives.names import UnsafeArchive
from assets.common.files.archives.preview import preview_archive
from tests.builders import zip_of

from .archives import (
    FOLDER,
    SUFFIXES,
    TAR_FORMATS,
    TAR_MODES,
    Item,
    end_of_tar,
    entries_of,
    legal_archives,
    tar_items,
    tar_of_items,
    zip_items,
    zip_of_items,
)

PLAIN = tar_of_items([Item("a", content=b"1"), Item("b", content=b"2")])


def listed(data: bytes) -> dict[str, tuple[int, bool]] | None:
    """What `read_entries` finds, or None when it refuses."""
    file = ContentFile(data)
    try:
        entries = read_entries(file)
    except UnsafeArchive:
        return None
    assert file.tell() == 0, "the file is returned rewound, to be stored from its start"
    return {entry.name: (entry.size, entry.is_folder) for entry in entries}


@given(tar_items, st.sampled_from(TAR_MODES), st.sampled_from(TAR_FORMATS))
def test_tars_are_listed_truly_or_refused(items, mode, format):
    assert listed(tar_of_items(items, mode, format)) == entries_of(items)


@given(zip_items, st.sampled_from((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA)))
@example([Item("")], zipfile.ZIP_STORED)
@example([Item("a", FOLDER), Item("a/", FOLDER)], zipfile.ZIP_STORED)
def test_zips_are_listed_truly_or_refused(items, compression):
    if not items:  # an empty zip has no entry that differs from garbage
        return
    assert listed(zip_of_items(items, compression)) == entries_of(items)


@given(legal_archives())
def test_the_suffix_says_how_to_read_it(form_and_data):
    form, data = form_and_data
    assert archive_suffix(ContentFile(data)) == SUFFIXES[form]


@given(legal_archives(), st.data())
def test_a_truncated_archive_is_refused(form_and_data, data):
    form, whole = form_and_data
    needed = end_of_tar(whole) if form == "w:" else len(whole)
    length = data.draw(st.integers(0, needed - 1))
    assert listed(whole[:length]) is None


@given(legal_archives(), st.data())
def test_a_changed_byte_is_no_accident(form_and_data, data):
    _, whole = form_and_data
    position = data.draw(st.integers(0, len(whole) - 1))
    listed(whole[:position] + data.draw(st.binary(min_size=1, max_size=4)) + whole[position + 1 :])


@st.composite
def damaged(draw) -> bytes:
    """A legal archive after some accidents: bits turned, bytes lost, put in, or repeated."""
    data = draw(legal_archives())[1]
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(1, 64)))
        part, what = data[start:end], draw(st.sampled_from(("turn", "lose", "put", "again")))
        middle = {
            "turn": bytes(byte ^ 1 << draw(st.integers(0, 7)) for byte in part[:1]) + part[1:],
            "lose": b"",
            "put": draw(st.binary(max_size=16)) + part,
            "again": part * 2,
        }[what]
        data = data[:start] + middle + data[end:]
    return data


@given(damaged(), st.sampled_from(("a", "data.csv", "Dockerfile")))
def test_a_damaged_archive_is_read_or_refused_and_little_is_held(data, name):
    stream = Watched(data)
    with suppress(UnsafeArchive):
        read_entries(File(stream, "archive"))
    preview_archive(File(stream, "archive"), name, 1000)
    assert stream.largest <= max(len(data), tars.MAX_HEADER_SIZE + 1)


@given(
    st.sampled_from((b"", b"PK\3\4", b"PK\5\6", b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\0")),
    st.binary(),
)
def test_random_bytes_are_refused(start, data):
    assert listed(start + data) is None


@given(legal_archives(), st.binary(min_size=1, max_size=600).filter(lambda rest: rest.strip(b"\0")))
def test_what_follows_the_end_of_a_tar_is_refused(form_and_data, rest):
    form, whole = form_and_data
    # Readers of zips look for the end from behind; those of bz2 and xz stop where it is.
    if form in ("w:", "w:gz"):
        assert listed(whole + rest) is None


def _header(name: str, type: bytes, size: int, payload: bytes = b"") -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.size = type, size
    return info.tobuf(tarfile.GNU_FORMAT) + payload.ljust(-len(payload) % 512 + len(payload), b"\0")


def _pax(record: bytes) -> bytes:
    return _header("pax", tarfile.XHDTYPE, len(record), record) + PLAIN


def _encrypted() -> bytes:
    data = bytearray(zip_of({"a": b"1"}))
    data[data.find(b"PK\1\2") + 8] |= 1
    return bytes(data)


def _zip64(table_size: int) -> bytes:
    """A zip whose table of contents claims to be that long."""
    ones, local = 0xFFFFFFFF, zip_of({"a": b"1"})
    end = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, table_size, 0)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, len(local), 1)
    return local + end + locator + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, ones, ones, 0)


HOSTILE = {
    "zip with a table longer than any disk": _zip64(2**64 - 1),
    "encrypted zip": _encrypted(),
    "zip with a name that is not UTF-8": zip_of({"Xé": b"1"}).replace(
        b"X\xc3\xa9", b"\xff\xfe\xfd"
    ),
    "zip with an absurd table of contents": zip_of({"a": b""})[:-10] + b"\xff" * 8 + b"\0\0",
    "tar with a hidden zip": tar_of_items([Item("../a"), Item("z", content=zip_of({"a": b"1"}))]),
    "pax name with NUL": _pax(b"14 path=ab\0cd\n"),
    "pax path outside": _pax(b"16 path=../evil\n"),
    "pax size below zero": _pax(b"14 size=-5120\n"),
    "pax size that no disk has": _pax(b"29 size=99999999999999999999\n"),
    "pax record longer than its header": _pax(b"999 path=a\n"),
    "pax number without end": _pax(b"1" * 60_000),
    "header below zero": _header("a", tarfile.REGTYPE, -512) + PLAIN,
    "header as large as the sky": _header("a", tarfile.GNUTYPE_LONGNAME, 2**70) + PLAIN,
    "name of many megabytes": _header("a", tarfile.GNUTYPE_LONGNAME, 2**24, bytes(2**24)) + PLAIN,
    "thousands of headers for one entry": _pax(b"11 x=12345\n")[:1024] * 3000 + PLAIN,
    "no end": PLAIN[:2048],
    "half a header": PLAIN[:1200],
    "broken header between two sound ones": PLAIN[:1024] + b"\1" * 512 + PLAIN[1024:],
    "two tars in one": PLAIN[: end_of_tar(PLAIN)] + PLAIN,
    "padding without end": PLAIN + bytes(tars.MAX_PADDING + 512),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_hostile_archives_are_refused(data):
    assert listed(data) is None


@pytest.mark.parametrize("make", [zip_of_items, tar_of_items])
@pytest.mark.parametrize(("limit", "value"), [("MAX_ENTRIES", 2), ("MAX_EXPANDED_SIZE", 20)])
def test_limits_of_what_is_unpacked(monkeypatch, make, limit, value):
    small, large = ([Item(name, content=b"1" * 8) for name in names] for names in ("ab", "abc"))
    monkeypatch.setattr(check, limit, value)
    assert listed(make(small)) is not None
    assert listed(make(large)) is None


@pytest.mark.parametrize("name", [".", "folder"])
def test_a_folder_that_is_named_without_end_is_no_way_around(monkeypatch, name):
    monkeypatch.setattr(check, "MAX_ENTRIES", 5)
    for make in (zip_of_items, tar_of_items):
        few, many = ([Item(name, FOLDER)] * count + [Item("a", content=b"1")] for count in (4, 5))
        assert listed(make(few)) is not None
        assert listed(make(many)) is None


def test_a_table_of_contents_has_a_limit(monkeypatch):
    monkeypatch.setattr(check, "MAX_TABLE_SIZE", 500)
    assert listed(zip_of({"a": b"1"})) is not None
    assert listed(zip_of({f"{n:0100}": b"1" for n in range(5)})) is None


@pytest.mark.parametrize(
    "data",
    [
        zip_of({}),
        tar_of_items([]),
        zip_of_items([Item("a", FOLDER)]),
        tar_of_items([Item("./", FOLDER)]),
    ],
    ids=["zip", "tar", "zip of folders", "tar of its own folder"],
)
def test_an_archive_without_files_is_refused_by_name(data):
    _, [problem] = inspect(ContentFile(data), asset="datasample", field="part")
    assert (problem.field, problem.code.label) == ("part", "OE0101")
    assert "is empty" in problem.message


class Watched(io.BytesIO):
    """Bytes that remember how many were asked for at once."""

    largest = 0

    def read(self, size: int = -1) -> bytes:
        data = super().read(size)
        self.largest = max(self.largest, len(data))
        return data


@pytest.mark.parametrize("make", [zip_of_items, tar_of_items])
def test_contents_are_passed_over(make):
    stream = Watched(make([Item("a", content=random.Random(1).randbytes(2_000_000))]))
    assert len(read_entries(File(stream, "archive"))) == 1
    assert stream.largest < 100_000
