"""Decompression with a limit for memory, whatever the data ask for."""

import bz2
import gzip
import io
import lzma
import tarfile
import zlib
from typing import IO, Any, cast

from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _, gettext_lazy

from .names import UnsafeArchive

# Compressed data set the memory for unpacking them, up to 4 GB. `xz -9` sets 65 MiB.
MAX_MEMORY = 66 * 1024**2
_PIECE = 64 * 1024

# File name suffixes of compressed tars, by their first bytes.
_SUFFIXES = {
    b"\x1f\x8b": ".tar.gz",
    b"BZh": ".tar.bz2",
    b"\xfd7zXZ\0": ".tar.xz",
    b"\x5d\0\0": ".tar.lzma",
}
# Other formats by their first bytes, as predicates of a sentence.
_OTHERS = {
    b"\x28\xb5\x2f\xfd": gettext_lazy("is compressed by Zstandard (.zst)"),
    b"\x04\x22\x4d\x18": gettext_lazy("is compressed by LZ4"),
    b"\x1f\x9d": gettext_lazy("is compressed by compress (.Z)"),
    b"7z\xbc\xaf\x27\x1c": gettext_lazy("is a 7z archive"),
    b"Rar!\x1a\x07": gettext_lazy("is a RAR archive"),
    b"PK\7\x08": gettext_lazy("is one part of a zip that was split"),
}


def tar_suffix(start: bytes) -> str:
    """Return the suffix of a tar's file name by its first block: ``.tar``, ``.tar.gz``, …"""
    try:
        # The name of a tar's first entry can look like the start of a compressed file.
        tarfile.TarInfo.frombuf(start[: tarfile.BLOCKSIZE], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return next((s for magic, s in _SUFFIXES.items() if start.startswith(magic)), ".tar")
    return ".tar"


def other_kind(start: bytes) -> str:
    """Return the format of a file that is no readable archive; blank if unknown."""
    return next((str(kind) for magic, kind in _OTHERS.items() if start.startswith(magic)), "")


def unpacked(file: IO[bytes], suffix: str) -> IO[bytes]:
    """Return a file from which the uncompressed tar can be read."""
    if suffix == ".tar.gz":
        return cast("IO[bytes]", gzip.GzipFile(fileobj=file, mode="rb"))
    if suffix == ".tar.bz2":
        return bz2.BZ2File(file, "rb")
    if suffix in (".tar.xz", ".tar.lzma"):
        return cast("IO[bytes]", io.BufferedReader(_Unxz(file)))
    return file


class _Unxz(io.RawIOBase):
    """Decompresses xz and lzma with a limit for memory, which `lzma.LZMAFile` lacks."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self._begin()

    def _begin(self) -> None:
        self.file.seek(0)
        self.decoder, self.ahead = lzma.LZMADecompressor(memlimit=MAX_MEMORY), b""
        self.position, self.is_over = 0, False

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._next(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_END:
            raise io.UnsupportedOperation
        target = offset + (self.position if whence == io.SEEK_CUR else 0)
        if target < self.position:
            self._begin()
        while self.position < target and self._next(min(_PIECE, target - self.position)):
            pass
        return self.position

    def _next(self, size: int) -> bytes:
        """Return the next bytes, at most `size`; empty at the end."""
        while not self.is_over:
            if self.decoder.eof:
                self._begin_stream()
                continue
            given = b""
            if self.decoder.needs_input:
                given, self.ahead = self.ahead or self.file.read(_PIECE), b""
                if not given:
                    raise EOFError
            if data := self._decompress(given, size):
                self.position += len(data)
                return data
        return b""

    def _decompress(self, given: bytes, size: int) -> bytes:
        try:
            return self.decoder.decompress(given, size)
        except lzma.LZMAError as error:
            if "limit" in str(error):
                raise UnsafeArchive(
                    _(
                        "unpacking it takes more than %(limit)s of memory. Compress it with a "
                        "smaller dictionary of xz, or as .tar.gz."
                    )
                    % {"limit": filesizeformat(MAX_MEMORY)}
                ) from None
            raise

    def _begin_stream(self) -> None:
        """Continue after the end of a stream with the next one, if there is one."""
        rest = self.decoder.unused_data
        while not (rest := rest.lstrip(b"\0")):
            rest = self.file.read(_PIECE)
            if not rest:
                self.is_over = True
                return
        self.ahead, self.decoder = rest, lzma.LZMADecompressor(memlimit=MAX_MEMORY)


# --- Members of zips -----------------------------------------------------------------------------

STORED, DEFLATED, BZIP2, LZMA = 0, 8, 12, 14
READABLE = (STORED, DEFLATED, BZIP2, LZMA)


def unpack(data: bytes, method: int, size: int) -> bytes:
    """Return the content of a zip's member, `size` bytes; unpacking stops there.

    Raises:
        ValueError, zlib.error, OSError, lzma.LZMAError: the data are damaged, or the method is
            not supported.
    """
    if method == STORED:
        content = data
    elif method == DEFLATED:
        content = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, size + 1)
    elif method == BZIP2:
        content = bz2.BZ2Decompressor().decompress(data, size + 1)
    elif method == LZMA:
        content = _lzma_decoder(data, size).decompress(data[9:], size + 1)
    else:
        raise ValueError(method)
    if len(content) != size:
        raise ValueError(size)
    return content


def _lzma_decoder(data: bytes, size: int) -> lzma.LZMADecompressor:
    """Return the decoder of a zip's LZMA, from its header: 4 bytes of version, 5 of settings."""
    if len(data) < 9 or data[2:4] != b"\5\0":
        raise ValueError(data[:4])
    settings, lc = divmod(data[4], 9)
    pb, lp = divmod(settings, 5)
    filters = {
        "id": lzma.FILTER_LZMA1,
        # No reference can go back further than the length of the content.
        "dict_size": max(4096, min(int.from_bytes(data[5:9], "little"), size)),
        "lc": lc,
        "lp": lp,
        "pb": pb,
    }
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[filters])
