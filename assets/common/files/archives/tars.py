"""The entries of tars, read one by one; headers of any length are not believed."""

import re
import tarfile
from collections.abc import Iterator
from tarfile import BLOCKSIZE
from typing import IO, Any

from .decompression import tar_suffix, unpacked
from .names import Entry, UnsafeArchive, check_stays_inside, plain_path

# What the headers of one entry may hold, and those of all of them: they are read, not passed over.
MAX_HEADER_SIZE = 64 * 1024
MAX_HEADERS_SIZE = 400 * 1024**2
# Headers that count for all entries that follow; they are kept until the end.
MAX_GLOBAL_HEADERS = 100
# Tars end with zeros, up to a multiple of what a tape would hold in a record.
MAX_PADDING = 16 * 1024**2

_EXTENSIONS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)


def link(name: str) -> UnsafeArchive:
    """Return the refusal of an entry that is neither a file nor a folder."""
    return UnsafeArchive(
        f"the entry {name!r} is a link or a device. Put files and folders only in the archive."
    )


class _Headers:
    """A file that hands out headers of a sensible size; `tarfile` reads what the archive claims."""

    # On Pythons without the fix of CVE-2024-6232, tarfile takes hours to read such a header.
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
            raise UnsafeArchive("its list of entries is absurdly long. Make the archive again.")
        return data


class _Info(tarfile.TarInfo):
    """A header whose own name is safe, too: programs that know no longer names take that one."""

    @classmethod
    def frombuf(cls, buf: Any, encoding: str, errors: str) -> Any:
        info = super().frombuf(buf, encoding, errors)
        if info.type not in _EXTENSIONS:
            check_stays_inside(info.name)
        return info


class Tar(tarfile.TarFile):
    """A tar whose headers have a sensible size, and which ends where it says."""

    def __init__(self, file: IO[bytes], suffix: str) -> None:
        self.is_compressed = suffix != ".tar"
        self.headers = _Headers(file)
        super().__init__(None, "r", self.headers, tarinfo=_Info)  # type: ignore[arg-type]  # only read

    def next(self) -> tarfile.TarInfo | None:
        self.headers.of_entry = 0
        info = super().next()
        self.members.clear()  # type: ignore[attr-defined]  # tarfile would keep all of them
        if len(self.pax_headers) > MAX_GLOBAL_HEADERS:
            raise UnsafeArchive("its headers are absurdly many. Make the archive again.")
        return info

    def entries(self) -> Iterator[tuple[Entry, tarfile.TarInfo]]:
        """List the entries, each with what `content` takes.

        Raises:
            UnsafeArchive: an entry is no file or folder, or a hard link to what is not before it.
        """
        while info := self.next():
            if info.islnk() and not info.size:
                name, target = plain_path(info.name), plain_path(info.linkname)
                yield Entry(name, 0, link_to=target), info
            elif info.isreg() or info.isdir():
                yield Entry(plain_path(info.name), info.size, info.isdir()), info
            else:
                raise link(info.name)

    def content(self, info: tarfile.TarInfo) -> bytes:
        """Return what a file holds."""
        # The limits of headers do not hold for content.
        self.fileobj = self.headers.file  # only read
        try:
            content = self.extractfile(info)
            return content.read(info.size) if content else b""
        finally:
            self.fileobj = self.headers  # type: ignore[assignment]

    def check_end(self) -> None:
        """Raise unless nothing but zeros follows the last entry; `tarfile` reads no further.

        Reading on also has a compressed tar verify its checksum. So it is known to be whole without
        the zeros, too, which some programs leave out.
        """
        file, padding = self.headers.file, 0
        file.seek(self.offset)
        while block := file.read(MAX_HEADER_SIZE):
            padding += len(block)
            if block.strip(b"\0") or padding > MAX_PADDING:
                raise UnsafeArchive(
                    "more follows after its end, or it is damaged. Make the archive again, "
                    "as one .zip or .tar.gz."
                )
        if padding < BLOCKSIZE and (padding or not self.is_compressed):
            raise UnsafeArchive(
                "the zeros that end a tar are missing, so it may have been cut off. Make the "
                "archive again; or compress it as .tar.gz, which shows whether it is whole."
            )


def open_tar(file: IO[bytes], start: bytes) -> Tar:
    """Open a tar that begins so, whether compressed or not."""
    suffix = tar_suffix(start)
    return Tar(unpacked(file, suffix), suffix)
