"""The central directory of zips, read in pieces. Source: PKWARE's APPNOTE.

Programs read ambiguous zips differently: some use the directory, others the header before each
file, some the plain name, others the Unicode name. Zips that would unpack differently are refused.
`zipfile` holds the whole directory in memory and unpacks any size that a member claims.
"""

import stat
import struct
import zlib
from collections.abc import Iterator
from typing import IO, Any, NamedTuple

from django.utils.translation import gettext as _, gettext_lazy

from .decompression import READABLE, unpack
from .names import Entry, UnsafeArchive, check_stays_inside, encoding_error, plain_path
from .tars import link_error

_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_SHORT, _LONG = 0xFFFF, 0xFFFFFFFF
_PIECE = 64 * 1024

_ENCRYPTED, _UTF8 = 0x1 | 0x40 | 0x2000, 0x800
# Made by Windows: FAT, NTFS, VFAT. On other systems a backslash is an ordinary character.
_WINDOWS = (0, 10, 14)
_READ_FIELDS = _ZIP64, _UNICODE_PATH = 0x1, 0x7075
# Written by zip programs for letters that their character set lacks.
_SUBSTITUTES = "?_#"

_METHODS = {9: "Deflate64", 93: "Zstandard", 95: "xz", 98: "PPMd"}

BACKSLASHES: Any = gettext_lazy(
    "The archive has backslashes in its names, as Windows PowerShell 5.1 writes them. They are "
    "read as folders here, but maybe not by other programs. PowerShell 7, Explorer and 7-Zip "
    "write '/'."
)
OTHER_LETTERS: Any = gettext_lazy(
    "Some names in the archive are neither ASCII nor UTF-8, so other programs may show different "
    "letters. Rename the files, or make the archive with a program that writes UTF-8, such as "
    "7-Zip."
)


class _Header(NamedTuple):
    """The directory's entry of one member; `name` has the bytes as they are written."""

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
    """Where the directory is, and its number of members modulo 65,536."""

    start: int
    size: int
    members: int


class Zip:
    """A zip that is read from the directory at its end.

    Raises:
        UnsafeArchive: its directory has more than `max_table` bytes, or it is one of several parts.
        ValueError, struct.error: its directory is damaged.
    """

    def __init__(self, file: IO[bytes], max_table: int) -> None:
        self.file = file
        self.place = self._find()
        if self.place.size > max_table:
            raise UnsafeArchive(_("its list of entries is too long. Make the archive again."))

    def _find(self) -> _Place:
        size = self.file.seek(0, 2)
        # The last record counts: programs search for it from the end. A comment can follow it.
        tail = self._read(max(0, size - _END.size - _SHORT), min(size, _END.size + _SHORT))
        at = size - len(tail) + tail.rindex(b"PK\5\6")
        _magic, disk, table_disk, _here, *known, comment = self._unpack(_END, at)
        _expect(at + _END.size + comment == size)
        end, at = at, at - _LOCATOR.size
        locator = self._unpack(_LOCATOR, at) if at >= 0 else (b"",)
        if locator[0] == b"PK\6\7":
            end = locator[2]
            _expect(end + _END_64.size <= at)
            magic, rest, _by, _for, disk, table_disk, _here, *long = self._unpack(_END_64, end)
            _expect(magic == b"PK\6\6" and end + 12 + rest == at)
            # Programs that read only the short record must find the same.
            _expect(
                all(one in (other, _SHORT, _LONG) for one, other in zip(known, long, strict=True))
            )
            known = long
        count, length, start = known
        if disk or table_disk:
            raise UnsafeArchive(_("it is one part of a split zip. Make a single zip."))
        # There is nothing before the zip, or between the directory and its end.
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
        """Yield the entries of the directory. Raises: ValueError if they contradict each other."""
        place, count, packed, window, at = self.place, 0, 0, b"", 0
        read_to, end = place.start, place.start + place.size
        while at < len(window) or read_to < end:
            # An entry is shorter than this: each of its three texts has at most 64 kB.
            if len(window) - at < 4 * _PIECE and read_to < end:
                piece = self._read(read_to, min(4 * _PIECE, end - read_to))
                window, at, read_to = window[at:] + piece, 0, read_to + len(piece)
            header, at = _header(window, at)
            count, packed = count + 1, packed + header.packed_size
            _expect(packed <= place.start)  # otherwise members share bytes
            yield header
        _expect(count & _SHORT == place.members & _SHORT)

    def entries(self) -> Iterator[tuple[Entry, _Header]]:
        """Yield the entries, each with the header that `content` takes.

        Raises:
            UnsafeArchive: an entry is encrypted, is a link, or leads out of the archive's folder.
        """
        for header in self.headers():
            yield _entry(header), header

    def check(self, entry: Entry, header: _Header) -> None:
        """Check that the header before the member's content has the name of the directory.

        Programs that unpack a stream, or a zip with a damaged directory, use that header.

        Raises:
            UnsafeArchive: the names differ.
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
            raise _name_conflict(entry.name, name.decode("cp437"))

    def content(self, header: _Header) -> bytes:
        """Return the content of a member.

        Raises:
            ValueError and those of `unpack`: it is damaged, or its compression cannot be read.
        """
        # Compression never adds much.
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
    """Return the directory's entry at offset `at`, and the offset of the next one."""
    fields = _ENTRY.unpack_from(window, at)
    magic, made_by, _for, flags, method, _time, _date, crc, packed_size, size = fields[:10]
    name_length, extra_length, comment_length, _disk, _internal, attributes, offset = fields[10:]
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
    """Return the extra fields of a header by their ids; those that are read here occur once."""
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
    """Return the name in a Unicode path field; None if its checksum is of another name."""
    _expect(len(field) >= 5)
    version, crc = struct.unpack_from("<BL", field)
    if version != 1:
        return None
    try:
        text = field[5:].decode()
    except UnicodeDecodeError:
        raise encoding_error(field[5:]) from None
    # Some programs do not compare the checksum.
    check_stays_inside(text)
    return text if crc == zlib.crc32(name) else None


def _entry(header: _Header) -> Entry:
    name, warnings = _name(header)
    if header.flags & _ENCRYPTED:
        raise UnsafeArchive(
            _("the entry %(name)r is encrypted. Make the archive without a password.")
            % {"name": name}
        )
    if stat.S_IFMT(header.mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise link_error(name)
    packed_by = ""
    if header.method not in READABLE:
        packed_by = _METHODS.get(header.method, f"method {header.method}")
        warnings += (
            _(
                "Some files in the archive are compressed by %(method)s, which many programs, "
                "such as Python, cannot unpack. Make the archive with Deflate, the usual method."
            )
            % {"method": packed_by},
        )
    is_folder = name.endswith("/")
    return Entry(plain_path(name), header.size, is_folder, packed_by, warnings)


def _name(header: _Header) -> tuple[str, tuple[str, ...]]:
    """Return the name that its writer intended, and warnings about it.

    Raises:
        UnsafeArchive: a name that some program reads leads out of the folder.
    """
    written = header.name.decode("cp437")
    check_stays_inside(written)
    warnings: tuple[str, ...] = ()
    name = header.unicode_name
    if name is None:
        try:
            name = header.name.decode()
        except UnicodeDecodeError:
            if header.flags & _UTF8:
                raise encoding_error(header.name) from None
            name, warnings = written, (OTHER_LETTERS,)
    elif name != written and (
        name.isascii() or (written.isascii() and not any(map(written.count, _SUBSTITUTES)))
    ):
        raise _name_conflict(name, written)
    if header.host in _WINDOWS and "\\" in name:
        name, warnings = name.replace("\\", "/"), (*warnings, BACKSLASHES)
    return name, warnings


def _name_conflict(name: str, other: str) -> UnsafeArchive:
    return UnsafeArchive(
        _(
            "the entry %(name)r has another name, %(other)r, in another place of the zip. "
            "Make the archive again."
        )
        % {"name": name, "other": other}
    )
