"""Archives that were made to harm, or by mistake: each by a function that makes its bytes.

`REFUSED` says with which words each is refused; `HARMLESS` are accepted, and shown as what they
are. That an archive is neither a function's nor a sample's for other reasons is no matter here:
all of them hold what a function needs, unless they cannot.
"""

import gzip
import io
import random
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable

from tests.properties.archives import Item, tar_of_items, zip_of_items

Make = Callable[[], bytes]

CODE = (Item("Dockerfile", content=b"FROM python:3\nENTRYPOINT x\n"), Item("function.py"))
OUTSIDE = {
    "absolute": "/etc/passwd",
    "absolute with two slashes": "//etc/passwd",
    "above": "../evil.py",
    "above from within": "a/b/../../../evil.py",
    "above at the end": "a/..",
    "backslashes": "..\\evil.py",
    "a backslash within": "a\\..\\..\\evil.py",
    "a drive": "C:/evil.py",
    "a drive without a slash": "C:evil.py",
    "a drive with backslashes": "C:\\evil.py",
    "a share": "\\\\host\\share\\evil.py",
    "a device of Windows": "\\\\.\\PhysicalDrive0",
}
# These look like dots and slashes, and turn into them where somebody normalises; we do not.
LOOK_ALIKES = ("．．／evil.py", "‥/evil.py", "..\u2215evil.py", "．．＼evil.py", "\u2024\u2024/x")


def zipped(*items: Item) -> Make:
    return lambda: zip_of_items([*CODE, *items])


def tarred(*items: Item, mode: str = "w:gz") -> Make:
    return lambda: tar_of_items([*CODE, *items], mode, tarfile.PAX_FORMAT)


def _raw_zip(method: int, size: int, data: bytes, name: bytes = b"big", flags: int = 0) -> bytes:
    """A zip of a function's files and an entry that claims whatever it likes."""
    whole = zip_of_items(CODE)
    end = whole.rindex(b"PK\5\6")
    table_at = struct.unpack_from("<L", whole, end + 16)[0]
    files, table = whole[:table_at], whole[table_at:end]
    crc = zlib.crc32(b"")
    common = struct.pack("<5H3L2H", 20, flags, method, 0, 0, crc, len(data), size, len(name), 0)
    local = b"PK\3\4" + common + name + data
    entry = b"PK\1\2" + struct.pack("<H", 20) + common
    entry += struct.pack("<3H2L", 0, 0, 0, 0, table_at) + name
    table += entry
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 3, 3, len(table), len(files) + len(local), 0)
    return files + local + table + tail


def zip_that_claims(size: int) -> Make:
    return lambda: _raw_zip(zipfile.ZIP_DEFLATED, size, b"\3\0")


def encrypted_zip() -> bytes:
    return _raw_zip(zipfile.ZIP_STORED, 12, bytes(12), flags=1)


def zip_with_a_name(name: bytes) -> Make:
    return lambda: _raw_zip(zipfile.ZIP_STORED, 0, b"", name, flags=0x800)


def zip_of_many(count: int) -> bytes:
    names = [Item(f"n/{number}") for number in range(count - len(CODE))]
    return zip_of_items([*CODE, *names], zipfile.ZIP_STORED)


def tar_of_many(count: int) -> bytes:
    block = tarfile.TarInfo("n/000000").tobuf(tarfile.USTAR_FORMAT)
    start = tar_of_items(CODE)
    blocks = [start[: _end_of(start)]]
    for number in range(count - len(CODE)):
        header = bytearray(block)
        header[:8] = b"n/%06d" % number
        header[148:156] = b" " * 8
        header[148:156] = b"%06o\0 " % sum(header)
        blocks.append(bytes(header))
    return gzip.compress(b"".join(blocks) + bytes(1024), 1)


def _end_of(tar: bytes) -> int:
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        archive.getmembers()
        return archive.offset


def tar_bomb(gigabytes: int) -> bytes:
    """A tar.gz of zeros, and of the same zeros again: each gigabyte takes one megabyte."""
    info = tarfile.TarInfo("zeros")
    info.size = gigabytes * 1024**3
    start = tar_of_items(CODE)
    block = 16 * 1024**2
    zeros = gzip.compress(bytes(block), 1)
    head = gzip.compress(start[: _end_of(start)] + info.tobuf())
    return head + zeros * (info.size // block) + gzip.compress(bytes(1024))


def nested(depth: int) -> bytes:
    """A zip in a zip in a zip; the innermost would be too large."""
    inner = zip_that_claims(2**32 - 2)()
    for _ in range(depth):
        inner = zip_of_items([*CODE, Item("inner.zip", content=inner)])
    return inner


def quine_like() -> bytes:
    """A gzip that holds a gzip that holds a tar: only the outermost is looked into."""
    return gzip.compress(tarred()())


def cut(make: Make, keep: float) -> Make:
    return lambda: make()[: int(len(make()) * keep)]


def with_pax_name(name: bytes) -> bytes:
    record = b" path=" + name + b"\n"
    length = len(record) + 2
    length += len(str(length)) - 2
    record = str(length).encode() + record
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, len(record)
    start = tar_of_items(CODE)
    head = start[: _end_of(start)] + info.tobuf() + record.ljust(512, b"\0")
    return head + tarfile.TarInfo("x").tobuf() + bytes(1024)


def xz_that_asks_for(megabytes: int, zeros: int = 0) -> bytes:
    """A tar.xz whose header asks for a dictionary of that size, a power of two."""
    data = bytearray(tarred(Item("zeros", content=bytes(zeros)), mode="w:xz")())
    # The header of its block: size, flags, filter, size of the settings, dictionary, zeros, CRC.
    start, end = 12, 12 + data[12] * 4
    data[start + 4] = 2 * (megabytes.bit_length() - 1) + 16
    data[end : end + 4] = struct.pack("<L", zlib.crc32(data[start:end]))
    return bytes(data)


def without_end(tar: bytes) -> bytes:
    return tar[: _end_of(tar)]


KINDS_OF_TAR = ("symbolic link", "hard link", "device", "pipe")
KINDS_OF_ZIP = ("symbolic link", "device", "pipe")
UNREADABLE = "not a readable zip or tar archive"

# What is refused, and by which words.
REFUSED: dict[str, tuple[Make, str]] = {
    "zip bomb by what it claims": (zip_that_claims(2**32 - 2), "when unpacked"),
    "tar bomb": (lambda: tar_bomb(4), "when unpacked"),
    "tar.bz2 in a tar.gz by another name": (quine_like, UNREADABLE),
    **{f"zip: {what}": (zipped(Item(name)), "an unsafe path") for what, name in OUTSIDE.items()},
    **{f"tar: {what}": (tarred(Item(name)), "an unsafe path") for what, name in OUTSIDE.items()},
    **{f"zip: {kind}": (zipped(Item("x", kind)), "a link or a device") for kind in KINDS_OF_ZIP},
    **{f"tar: {kind}": (tarred(Item("x", kind)), "a link or a device") for kind in KINDS_OF_TAR},
    "zip: entry twice": (zipped(Item("x"), Item("x")), "occurs twice"),
    "tar: entry twice": (tarred(Item("x"), Item("./x")), "occurs twice"),
    "zip: file and folder": (zipped(Item("x"), Item("x", "folder")), "occurs twice"),
    "zip: NUL in a name": (zipped(Item("x\0.py")), "an unsafe path"),
    "tar: NUL in a name": (lambda: with_pax_name(b"a\0b"), ""),
    "zip: name not UTF-8": (zip_with_a_name(b"\xff\xfe"), "is not UTF-8"),
    "tar: name not UTF-8": (tarred(Item("a\udcff")), "is not UTF-8"),
    "encrypted zip": (encrypted_zip, "is encrypted"),
    "zip cut in half": (cut(zipped(Item("x", content=bytes(900))), 0.5), UNREADABLE),
    "tar.gz cut in half": (cut(tarred(Item("x", content=bytes(900))), 0.5), UNREADABLE),
    "tar.xz without its end": (cut(tarred(mode="w:xz"), 0.9), UNREADABLE),
    "tar.bz2 without its end": (cut(tarred(mode="w:bz2"), 0.9), UNREADABLE),
    "text": (lambda: b"name,age\nada,36\n" * 90, UNREADABLE),
    "text with a BOM": (lambda: "\ufeffname,age\n".encode() * 90, UNREADABLE),
    "a zip behind a BOM": (lambda: b"\xef\xbb\xbf" + zipped()(), UNREADABLE),
    "a zip behind a shell": (lambda: b"#!/bin/sh\n" + zipped()(), UNREADABLE),
    "zeros": (lambda: bytes(20_480), ""),
    "noise": (lambda: random.Random(1).randbytes(20_000), UNREADABLE),
    "a gzip of no tar": (lambda: gzip.compress(b"text" * 900), UNREADABLE),
    "SVG": (lambda: b"<svg onload='alert(1)' xmlns='http://www.w3.org/2000/svg'/>", UNREADABLE),
    "7z": (lambda: b"7z\xbc\xaf\x27\x1c" + bytes(600), "is a 7z archive"),
    "rar": (lambda: b"Rar!\x1a\x07\x01\x00" + bytes(600), "is a RAR archive"),
    "tar.xz that asks for memory": (lambda: xz_that_asks_for(128), "of memory"),
    "tar without its end": (lambda: without_end(tar_of_items(CODE)), "may be incomplete"),
}

# What is accepted, although it looks odd: nothing here unpacks it, and a page shows what it is.
HARMLESS: dict[str, Make] = {
    "zips in a zip, of which the innermost claims 4 GB": lambda: nested(6),
    "names that look like dots and slashes": zipped(*map(Item, LOOK_ALIKES)),
    "names that differ by case": zipped(Item("a.py"), Item("A.py")),
    "names that differ by normalisation": zipped(Item("\u00e9.py"), Item("e\u0301.py")),
    "names that turn the direction": zipped(Item("\u202egpj.exe.py"), Item("\u2066x.py")),
    "names with control characters": zipped(Item("a\x1b[2Jb.py"), Item("a\r\nb.py")),
    "names that are markup": tarred(Item("<img src=x onerror=alert(1)>.py")),
    "a name of 20 kB": tarred(Item("x" * 20_000)),
    "a tar.xz that asks for what xz -9 does": lambda: xz_that_asks_for(64),
    "a tar.gz without the end of a tar": lambda: gzip.compress(without_end(tar_of_items(CODE))),
    "a tar.xz of zeros": tarred(Item("zeros", content=bytes(2**24)), mode="w:xz"),
}

# What takes seconds to make and to read is tried where it is measured, and through one interface.
LARGE: dict[str, tuple[Make, str]] = {
    "zip of 100,000 entries": (lambda: zip_of_many(100_000), ""),
    "zip of 100,001 entries": (lambda: zip_of_many(100_001), "more than 100,000 entries"),
    "tar of 100,000 entries": (lambda: tar_of_many(100_000), ""),
    "tar of 100,001 entries": (lambda: tar_of_many(100_001), "more than 100,000 entries"),
    "tar.xz that fills 64 MB of memory": (lambda: xz_that_asks_for(64, 2**27), ""),
    "tar that unpacks to 2 GB": (lambda: tar_bomb(2), "when unpacked"),
}
