"""The table of contents of zips, read a piece at a time. Source: PKWARE's APPNOTE.

Programs disagree about zips that are unclear: some believe the table, some what stands before each
file, some the first name and some the Unicode name. What they would unpack differently is refused.
`zipfile` is not used, since it keeps the whole table, and unpacks whatever a member asks for.
"""

import stat
import struct
import zlib
from collections.abc import Iterator
from typing import IO, NamedTuple

from .decompression import READABLE, unpack
from .names import Entry, UnsafeArchive, check_stays_inside, not_utf8, plain_path
from .tars import link

_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_SHORT, _LONG = 0xFFFF, 0xFFFFFFFF
_PIECE = 64 * 1024

_ENCRYPTED, _UTF8 = 0x1 | 0x40 | 0x2000, 0x800
# Windows made it: FAT, NTFS, VFAT. Elsewhere a backslash is a character like others.
_WINDOWS = (0, 10, 14)
_READ_FIELDS = _ZIP64, _UNICODE_PATH = 0x1, 0x7075
# What zip programs for one character set write for a letter of another.
_SUBSTITUTES = "?_#"

_METHODS = {9: "Deflate64", 93: "Zstandard", 95: "xz", 98: "PPMd"}

BACKSLASHES = (
    "It was archived with backslashes in its names, as Windows PowerShell 5.1 does. They are read "
    "as folders here, but other programs may not. PowerShell 7, Explorer and 7-Zip write '/'."
)
OTHER_LETTERS = (
    "Some names in it are neither ASCII nor UTF-8, so their letters may look different elsewhere. "
    "Rename the files, or archive them by a program that writes UTF-8, such as 7-Zip."
)


class _Header(NamedTuple):
    """What the table says of one member; `name` is as it is written."""

    name: bytes
    host: int
    flags: int
    method: int
    crc: int
    packed_size: int
    size: int
    mode: int
    offset: int
    unicode_name: str | None


class _Place(NamedTuple):
    """Where the table is, and how many members it has, as far as is known."""

    start: int
    size: int
    members: int


class Zip:
    """A zip that is read from the table at its end.

    Raises:
        UnsafeArchive: its table is longer than `max_table`, or it is one part of several.
        ValueError, struct.error: it has no sound table.
    """

    def __init__(self, file: IO[bytes], max_table: int) -> None:
        self.file = file
        self.place = self._find()
        if self.place.size > max_table:
            raise UnsafeArchive("its list of entries is absurdly long. Make the archive again.")

    def _find(self) -> _Place:
        size = self.file.seek(0, 2)
        # The last record counts, as others look for it from the end; a comment may follow it.
        tail = self._read(max(0, size - _END.size - _SHORT), min(size, _END.size + _SHORT))
        at = size - len(tail) + tail.rindex(b"PK\5\6")
        _, disk, table_disk, _, *known, comment = self._unpack(_END, at)
        _expect(at + _END.size + comment == size)
        end, at = at, at - _LOCATOR.size
        locator = self._unpack(_LOCATOR, at) if at >= 0 else (b"",)
        if locator[0] == b"PK\6\7":
            end = locator[2]
            _expect(end + _END_64.size <= at)
            magic, rest, _, _, disk, table_disk, _, *long = self._unpack(_END_64, end)
            _expect(magic == b"PK\6\6" and end + 12 + rest == at)
            # Programs that know the short record only must find the same.
            _expect(
                all(one in (other, _SHORT, _LONG) for one, other in zip(known, long, strict=True))
            )
            known = long
        count, length, start = known
        if disk or table_disk:
            raise UnsafeArchive("it is one part of a zip that was split. Make one zip of it.")
        # Nothing stands before the zip, or between the table and its end.
        _expect(start + length == end)
        return _Place(start, length, count)

    def _read(self, offset: int, size: int) -> bytes:
        self.file.seek(offset)
        data = self.file.read(size)
        _expect(len(data) == size)
        return data

    def _unpack(self, record: struct.Struct, offset: int) -> tuple:
        return record.unpack(self._read(offset, record.size))

    def headers(self) -> Iterator[_Header]:
        """Read the table. What it says together must be possible, or the file is no sound zip."""
        place, count, packed, window, at = self.place, 0, 0, b"", 0
        read_to, end = place.start, place.start + place.size
        while at < len(window) or read_to < end:
            # An entry takes less than this: its three texts are 64 kB each at most.
            if len(window) - at < 4 * _PIECE and read_to < end:
                piece = self._read(read_to, min(4 * _PIECE, end - read_to))
                window, at, read_to = window[at:] + piece, 0, read_to + len(piece)
            header, at = _header(window, at)
            count, packed = count + 1, packed + header.packed_size
            _expect(packed <= place.start)  # or members share their bytes
            yield header
        _expect(count & _SHORT == place.members & _SHORT)

    def entries(self) -> Iterator[tuple[Entry, _Header]]:
        """List the entries, each with what `content` takes.

        Raises:
            UnsafeArchive: an entry is encrypted, a link, or would leave the archive's folder.
        """
        for header in self.headers():
            yield _entry(header), header

    def check(self, entry: Entry, header: _Header) -> None:
        """Raise unless what stands before the member's bytes calls it the same as the table does.

        Programs that unpack a zip as it comes in, or find its table damaged, go by that.
        """
        magic, *_, length, extra_length = self._unpack(_LOCAL, header.offset)
        rest = self._read(header.offset + _LOCAL.size, length + extra_length)
        name, extra = rest[:length], rest[length:]
        _expect(magic == b"PK\3\4")
        unicode_name = _fields(extra).get(_UNICODE_PATH)
        if name != header.name or (
            unicode_name is not None
            and _unicode_name(name, unicode_name) not in (None, header.unicode_name, entry.name)
        ):
            raise _two_names(entry.name, name.decode("cp437"))

    def content(self, header: _Header) -> bytes:
        """Return what a member holds.

        Raises:
            ValueError and those of `unpack`: it is damaged, or packed in a way that is not read.
        """
        # Nothing takes much more room than it has unpacked.
        _expect(header.packed_size <= 2 * header.size + _PIECE)
        *_, length, extra_length = self._unpack(_LOCAL, header.offset)
        start = header.offset + _LOCAL.size + length + extra_length
        content = unpack(self._read(start, header.packed_size), header.method, header.size)
        _expect(zlib.crc32(content) == header.crc)
        return content


def _expect(holds: bool) -> None:
    if not holds:
        raise ValueError("not a sound zip")


def _header(window: bytes, at: int) -> tuple[_Header, int]:
    """Return the entry of the table that begins at `at`, and where the next one does."""
    fields = _ENTRY.unpack_from(window, at)
    magic, made_by, _, flags, method, _, _, crc, packed_size, size = fields[:10]
    name_length, extra_length, comment_length, _, _, attributes, offset = fields[10:]
    name_at = at + _ENTRY.size
    extra_at = name_at + name_length
    end = extra_at + extra_length + comment_length
    _expect(magic == b"PK\1\2" and end <= len(window))
    name = window[name_at:extra_at]
    extra = _fields(window[extra_at : extra_at + extra_length])
    zip64 = extra.get(_ZIP64, b"")
    long = struct.iter_unpack("<Q", zip64[: len(zip64) // 8 * 8])
    size, packed_size, offset = (
        next(long, (value,))[0] if value == _LONG else value
        for value in (size, packed_size, offset)
    )
    unicode_name = None
    if _UNICODE_PATH in extra and not flags & _UTF8:
        unicode_name = _unicode_name(name, extra[_UNICODE_PATH])
    mode = attributes >> 16
    return (
        _Header(
            name, made_by >> 8, flags, method, crc, packed_size, size, mode, offset, unicode_name
        ),
        end,
    )


def _fields(extra: bytes) -> dict[int, bytes]:
    """Return the extra fields of a header; of those that are read here, there is one each."""
    found: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        at += 4
        _expect(at + length <= len(extra) and not (kind in _READ_FIELDS and kind in found))
        found[kind] = extra[at : at + length]
        at += length
    return found


def _unicode_name(name: bytes, field: bytes) -> str | None:
    """Return the name of a Unicode path field; None if it is of another name than this one."""
    _expect(len(field) >= 5)
    version, crc = struct.unpack_from("<BL", field)
    if version != 1:
        return None
    try:
        text = field[5:].decode()
    except UnicodeDecodeError:
        raise not_utf8(field[5:]) from None
    # Not every program looks whether it belongs to the name.
    check_stays_inside(text)
    return text if crc == zlib.crc32(name) else None


def _entry(header: _Header) -> Entry:
    name, oddities = _name(header)
    if header.flags & _ENCRYPTED:
        raise UnsafeArchive(f"the entry {name!r} is encrypted. Archive without a password.")
    if stat.S_IFMT(header.mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise link(name)
    packed_by = ""
    if header.method not in READABLE:
        packed_by = _METHODS.get(header.method, f"method {header.method}")
        oddities += (
            f"Some of its files are compressed by {packed_by}, which many programs, Python among "
            "them, cannot unpack. Archive it again by Deflate, the usual method.",
        )
    is_folder = name.endswith("/")
    return Entry(plain_path(name), header.size, is_folder, packed_by, oddities)


def _name(header: _Header) -> tuple[str, tuple[str, ...]]:
    """Return the name as its writer meant it, and what is odd about it.

    Raises:
        UnsafeArchive: one of the names that programs make of it leads out of the folder.
    """
    written = header.name.decode("cp437")
    check_stays_inside(written)
    oddities: tuple[str, ...] = ()
    name = header.unicode_name
    if name is None:
        try:
            name = header.name.decode()
        except UnicodeDecodeError:
            if header.flags & _UTF8:
                raise not_utf8(header.name) from None
            name, oddities = written, (OTHER_LETTERS,)
    elif name != written and (
        name.isascii() or (written.isascii() and not any(map(written.count, _SUBSTITUTES)))
    ):
        raise _two_names(name, written)
    if header.host in _WINDOWS and "\\" in name:
        name, oddities = name.replace("\\", "/"), (*oddities, BACKSLASHES)
    return name, oddities


def _two_names(name: str, other: str) -> UnsafeArchive:
    return UnsafeArchive(
        f"the entry {name!r} is called {other!r} in another place of the zip. "
        "Make the archive again."
    )
