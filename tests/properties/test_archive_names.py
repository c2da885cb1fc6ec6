"""Archives as programs of the world make them: names, links and ends that are odd but harmless.

Each is listed as its writer meant it, or refused for a reason that it names; a name that leads out
of the folder is refused however a program may come to read it.
"""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib

import pytest
from django.core.files.base import ContentFile

from assets.common.files.archives.check import read_entries
from assets.common.files.archives.names import Entry, UnsafeArchive
from assets.common.files.archives.preview import preview_archive
from assets.common.files.archives.zips import BACKSLASHES, OTHER_LETTERS
from tests.builders import zip_of

WINDOWS, UNIX = 0, 3


def read(data: bytes) -> list[Entry]:
    return read_entries(ContentFile(data))


def why_not(data: bytes) -> str:
    with pytest.raises(UnsafeArchive) as refused:
        read(data)
    return str(refused.value)


def zip_by(host: int, *names: str, extra: bytes = b"") -> bytes:
    """A zip that this system has made, with names as they are."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            info = zipfile.ZipInfo()
            info.filename, info.create_system, info.extra = name, host, extra
            archive.writestr(info, b"" if name.endswith(("/", "\\")) else b"1")
    return buffer.getvalue()


def renamed(name: bytes) -> bytes:
    """A zip with a name in whatever letters, as both of its headers have it."""
    stand_in = "x" * len(name)
    return zip_of({stand_in: b"1"}).replace(stand_in.encode(), name)


def unicode_path(name: str, of: bytes, version: int = 1) -> bytes:
    field = struct.pack("<BL", version, zlib.crc32(of)) + name.encode()
    return struct.pack("<2H", 0x7075, len(field)) + field


def test_backslashes_of_windows_are_folders():
    data = zip_by(WINDOWS, "train\\a.csv", "train\\deep\\b.csv", "empty\\")
    entries = read(data)
    assert [(entry.name, entry.is_folder) for entry in entries] == [
        ("train/a.csv", False),
        ("train/deep/b.csv", False),
        ("empty", True),
    ]
    seen = preview_archive(ContentFile(data), "train/a.csv", 10)
    assert (seen.content, seen.warnings) == (b"1", [BACKSLASHES])


LEADING_OUT = (
    "..\\evil",
    "a\\..\\..\\evil",
    "a\\../evil",
    "\\evil",
    "\\\\host\\share\\evil",
    "C:\\evil",
    ".\\C:\\evil",
    ".. \\evil",
    "a/... /evil",
    "a/..",
)


@pytest.mark.parametrize("host", [WINDOWS, UNIX])
@pytest.mark.parametrize("name", LEADING_OUT)
def test_no_way_of_reading_a_name_leads_out(name, host):
    assert "an unsafe path" in why_not(zip_by(host, name))
    # As the other name of a harmless one, too, and for who does not look whose name it is.
    for of in (b"\x82.csv", b"another"):
        stand_in = "\u20ac.csv"
        data = zip_by(host, stand_in, extra=unicode_path(name, of))
        data = data.replace(struct.pack("<H", 0x800), b"\0\0")
        data = data.replace(stand_in.encode(), b"\x82xx.csv")
        assert "an unsafe path" in why_not(data)


def test_elsewhere_a_backslash_is_no_folder():
    assert "others as a folder" in why_not(zip_by(UNIX, "train\\a.csv"))


def test_both_ways_of_writing_a_folder_meet():
    assert "occurs twice" in why_not(zip_by(WINDOWS, "a\\b", "a/b"))


@pytest.mark.parametrize(
    ("raw", "name", "warnings"),
    [
        ("été.csv".encode(), "été.csv", ()),  # by macOS and Java, without a word about it
        ("été.csv".encode("cp437"), "été.csv", (OTHER_LETTERS,)),  # by Windows, in the West
    ],
)
def test_names_that_are_not_declared_utf8(raw, name, warnings):
    [entry] = read(renamed(raw))
    assert (entry.name, entry.warnings) == (name, warnings)


def with_unicode_path(raw: bytes, name: str, **more: int) -> bytes:
    stand_in = "x" * len(raw)
    data = zip_by(WINDOWS, stand_in, extra=unicode_path(name, raw, **more))
    return data.replace(stand_in.encode(), raw)


def test_the_unicode_name_counts():
    for raw in ("日本.csv".encode("cp932"), b"??.csv", b"#U65e5#U672c.csv"):
        [entry] = read(with_unicode_path(raw, "日本.csv"))
        assert (entry.name, entry.warnings) == ("日本.csv", ())


@pytest.mark.parametrize("more", [{"version": 2}, {}])
def test_a_unicode_name_of_another_name_does_not(more):
    data = with_unicode_path(b"a.csv", "é.csv", **more)
    if not more:
        data = data.replace(b"a.csv", b"b.csv")
    assert [entry.name for entry in read(data)] == ["a.csv" if more else "b.csv"]


@pytest.mark.parametrize(
    ("raw", "name"), [(b"readme.txt", "Dockerfile"), (b"function.py", "functión.py")]
)
def test_a_file_has_one_name(raw, name):
    """What a page shows under a name is what is unpacked under it."""
    assert "has another name" in why_not(with_unicode_path(raw, name))


def test_both_places_of_a_zip_give_the_same_name():
    before, after = zip_of({"harmless": b"1"}).split(b"PK\1\2")
    for other in (b"../evil.", b"Harmless"):
        data = before.replace(b"harmless", other) + b"PK\1\2" + after
        assert "has another name" in why_not(data)


def test_members_that_share_their_bytes_are_no_zip():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a", bytes(5000))
        archive.writestr("b", bytes(100))
    data = buffer.getvalue()
    size = struct.pack("<2L", 100, 100)
    assert len(read(data)) == 2
    table = data.rindex(b"PK\1\2")
    longer = data[:table] + data[table:].replace(size, struct.pack("<2L", 5050, 5050))
    assert "not a readable" in why_not(longer)


def tar(*infos: tarfile.TarInfo, end: bool = True) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for info in infos:
            archive.addfile(info, io.BytesIO(b"1" * info.size))
        offset = archive.offset
    return buffer.getvalue() if end else buffer.getvalue()[:offset]


def info(name: str, size: int = 3, link_to: str = "") -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.size = size
    if link_to:
        found.type, found.linkname, found.size = tarfile.LNKTYPE, link_to, size
    return found


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_hard_link_to_an_earlier_file_is_that_file(pack):
    data = pack(tar(info("./a"), info("b/c", 0, "./a"), info("d", 0, "b/c")))
    assert [(entry.name, entry.size) for entry in read(data)] == [("a", 3), ("b/c", 3), ("d", 3)]
    assert preview_archive(ContentFile(data), "d", 10).content == b"111"


@pytest.mark.parametrize("target", ["later", "/etc/passwd", "../a", "folder", "a"])
def test_another_hard_link_is_refused(target):
    folder = info("folder", 0)
    folder.type = tarfile.DIRTYPE
    link = info("link", 512 if target == "a" else 0, target)  # some programs skip what it holds
    message = why_not(tar(info("a"), folder, link, info("later")))
    assert "a link or a device" in message or "an unsafe path" in message


def test_the_name_that_old_programs_read_counts():
    """A header before it gives the entry another name, which those do not know."""
    record = b"10 path=a\n"
    pax = tarfile.TarInfo("pax")
    pax.type, pax.size = tarfile.XHDTYPE, len(record)
    head = pax.tobuf() + record.ljust(512, b"\0")
    assert [entry.name for entry in read(head + tar(info("harmless")))] == ["a"]
    assert "an unsafe path" in why_not(head + tar(info("../evil")))


@pytest.mark.parametrize("mode", ["gz", "bz2", "xz"])
def test_a_compressed_tar_is_whole_without_the_zeros_at_its_end(mode):
    pack = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}[mode]
    data = tar(info("a"), info("b"), end=False)
    assert len(read(pack(data))) == 2
    assert "not a readable" in why_not(pack(data)[:-9])
    assert "there is more after its end" in why_not(pack(data + b"1" * 512))
    assert "may be incomplete" in why_not(data)


def test_xz_files_may_have_several_streams():
    data = tar(info("a"), info("b"))
    parts = lzma.compress(data[:700]), lzma.compress(data[700:])
    assert len(read(parts[0] + bytes(8) + parts[1] + bytes(4))) == 2
    assert "not a readable" in why_not(b"".join(parts) + b"more")


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"\x28\xb5\x2f\xfd", "Zstandard"),
        (b"\x04\x22\x4d\x18", "LZ4"),
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"PK\7\x08", "split"),
    ],
)
def test_other_archives_are_called_by_their_name(start, kind):
    assert kind in why_not(start + bytes(600))
    assert ".tar.gz" in why_not(start + bytes(600))
