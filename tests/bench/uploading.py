"""A large archive on its way in, and the memory that the server takes for it."""

import itertools
import tarfile
import time
from collections.abc import Iterator
from typing import Any

import orjson

from assets.models import Dataset

from .client import Server
from .machine import MemoryPeak
from .serving import Serving
from .world import ORGANIZATIONS

_PIECE = bytes(range(256)) * 4096
_BOUNDARY = "bench-boundary"


def _archive(size: int) -> Iterator[bytes]:
    """Yield a tar of one file of `size` bytes, a whole number of pieces."""
    info = tarfile.TarInfo("data.bin")
    info.size = size
    yield info.tobuf()
    for _ in range(size // len(_PIECE)):
        yield _PIECE
    yield bytes(2 * tarfile.BLOCKSIZE)


def _envelope(values: dict[str, Any]) -> tuple[bytes, bytes]:
    """Return what comes before and after the file of a multipart body."""
    part = f"--{_BOUNDARY}\r\nContent-Disposition: form-data; name="
    head = f'{part}"json"\r\n\r\n{orjson.dumps(values).decode()}\r\n'
    head += f'{part}"file"; filename="data.tar"\r\nContent-Type: application/x-tar\r\n\r\n'
    return head.encode(), f"\r\n--{_BOUNDARY}--\r\n".encode()


def measure(serving: Serving, token: str, size: int) -> dict[str, Any]:
    """Register a data sample of `size` bytes, in whole MiB; return seconds, and bytes of memory.

    Small ones go before: code that is loaded for the first upload is no part of what each takes.
    """
    size -= size % len(_PIECE)
    server = serving.as_client(Authorization=f"Token {token}", Accept="application/json")
    dataset = Dataset.objects.filter(owner_id=ORGANIZATIONS[0]).order_by("creation_date")[0]
    envelope = _envelope({"data_manager_keys": [str(dataset.pk)]})
    for _ in range(4):
        _upload(server, envelope, len(_PIECE))
    with MemoryPeak(serving.workers) as peak:
        begin = time.perf_counter()
        _upload(server, envelope, size)
        seconds = time.perf_counter() - begin
    return {
        "name": f"{size / 1024**3:g} GiB",
        "seconds": seconds,
        "memory_before": peak.before,
        "memory_growth": peak.growth,
    }


def _upload(server: Server, envelope: tuple[bytes, bytes], size: int) -> None:
    before, after = envelope
    length = len(before) + size + 3 * tarfile.BLOCKSIZE + len(after)
    kind = f"multipart/form-data; boundary={_BOUNDARY}"
    head = server.request("/api/data_sample/", "POST", Content_Type=kind)
    head = head.replace(b"Content-Length: 0", f"Content-Length: {length}".encode())
    with server.connect() as connection:
        for piece in itertools.chain([head, before], _archive(size), [after]):
            connection.socket.sendall(piece)
        while not connection.receive():
            pass
        assert connection.status == 201, connection.head
