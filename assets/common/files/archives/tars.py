"""Tar archives, read entry by entry with limits for the size of headers."""

import io
import re
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from tarfile import BLOCKSIZE
from typing import IO, Any

from django.utils.translation import gettext as _

from .decompression import tar_suffix, unpacked
from .names import Entry, UnsafeArchive, check_stays_inside, plain_path

# Bytes of the headers of one entry, and of all of them: headers are read into memory.
MAX_HEADER_SIZE = 64 * 1024
MAX_HEADERS_SIZE = 400 * 1024**2
# Global headers, which apply to all entries that follow and stay in memory.
MAX_GLOBAL_HEADERS = 100
# Tars end with zeros, up to a multiple of the record size.
MAX_PADDING = 16 * 1024**2

_EXTENSIONS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)


def link_error(name: str) -> UnsafeArchive:
    """Return the exception for an entry that is neither a file nor a folder."""
    return UnsafeArchive(
        _("the entry %(name)r is a link or a device. Put files and folders only in the archive.")
        % {"name": name}
    )


class _Headers:
    """A file that limits the size of headers: `tarfile` reads any size that the archive claims."""

    # Without the fix of CVE-2024-6232, tarfile takes hours to parse such a header.
    _ENDLESS_NUMBER = re.compile(rb"\d{100}")

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.seek, self.tell, self.close = file.seek, file.tell, file.close
        self.of_entry = self.of_all = 0

    def read(self, size: int = -1) -> bytes:
        most = MAX_HEADER_SIZE + 1
        data = self.file.read(most if size < 0 else min(size, most))
        self.of_entry += len(data)
        self.of_all += len(data)
        if (
            len(data) > MAX_HEADER_SIZE
            or self.of_entry > 2 * MAX_HEADER_SIZE
            or self.of_all > MAX_HEADERS_SIZE
            or (len(data) > BLOCKSIZE and self._ENDLESS_NUMBER.search(data))
        ):
            raise UnsafeArchive(_("its list of entries is too long. Make the archive again."))
        return data


class _Info(tarfile.TarInfo):
    """A header whose short name is checked, too: programs without long names use that one."""

    @classmethod
    def frombuf(cls, buf: Any, encoding: str, errors: str) -> Any:
        info = super().frombuf(buf, encoding, errors)
        if info.type not in _EXTENSIONS:
            check_stays_inside(info.name)
        return info


class Tar(tarfile.TarFile):
    """A tar with limits for its headers, and a check that it ends where it says."""

    def __init__(self, file: IO[bytes], suffix: str) -> None:
        self.is_compressed = suffix != ".tar"
        self.headers = _Headers(file)
        super().__init__(None, "r", self.headers, tarinfo=_Info)  # type: ignore[arg-type]  # only read

    def next(self) -> tarfile.TarInfo | None:
        self.headers.of_entry = 0
        info = super().next()
        self.members.clear()  # type: ignore[attr-defined]  # tarfile would collect all of them
        if len(self.pax_headers) > MAX_GLOBAL_HEADERS:
            raise UnsafeArchive(_("it has too many headers. Make the archive again."))
        return info

    def entries(self) -> Iterator[tuple[Entry, tarfile.TarInfo]]:
        """Yield the entries, each with the header that `content` takes.

        Raises:
            UnsafeArchive: an entry is neither a file nor a folder, nor a hard link.
        """
        while info := self.next():
            if info.islnk() and not info.size:
                name, target = plain_path(info.name), plain_path(info.linkname)
                yield Entry(name, 0, link_to=target), info
            elif info.isreg() or info.isdir():
                yield Entry(plain_path(info.name), info.size, info.isdir()), info
            else:
                raise link_error(info.name)

    def content(self, info: tarfile.TarInfo) -> bytes:
        """Return the content of a file."""
        with self.opened(info) as content:
            return content.read(info.size)

    @contextmanager
    def opened(self, info: tarfile.TarInfo) -> Iterator[IO[bytes]]:
        """Yield the content of a file, to be read before the next entry."""
        # Reads past the limits, which are for headers.
        self.fileobj = self.headers.file  # only read
        try:
            yield self.extractfile(info) or io.BytesIO()
        finally:
            self.fileobj = self.headers  # type: ignore[assignment]

    def check_end(self) -> None:
        """Check that only zeros follow the last entry, where `tarfile` stops reading.

        Reading on also verifies the checksum of a compressed tar, so that one is complete even
        without the zeros, which some programs leave out.

        Raises:
            UnsafeArchive: more follows, or an uncompressed tar has no zeros at its end.
        """
        file, padding = self.headers.file, 0
        file.seek(self.offset)
        while block := file.read(MAX_HEADER_SIZE):
            padding += len(block)
            if block.strip(b"\0") or padding > MAX_PADDING:
                raise UnsafeArchive(
                    _(
                        "there is more after its end, or it is damaged. Make the archive again, "
                        "as one .zip or .tar.gz."
                    )
                )
        if padding < BLOCKSIZE and (padding or not self.is_compressed):
            raise UnsafeArchive(
                _(
                    "the zeros at the end of the tar are missing, so it may be incomplete. Make "
                    "the archive again, or compress it as .tar.gz, which has a checksum."
                )
            )


def open_tar(file: IO[bytes], start: bytes) -> Tar:
    """Return a tar opened for reading; `start` shows how it is compressed."""
    suffix = tar_suffix(start)
    return Tar(unpacked(file, suffix), suffix)
