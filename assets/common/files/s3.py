"""Files in S3, by django-storages: read in pieces, with the exceptions of files on a disk."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import File
from storages.backends import s3

from .storage import NoSpace, StorageError

MIB = 1024**2
# Bytes of a request: most files take one, and little is lost if reading ends early.
WINDOW = 8 * MIB
BUFFER = MIB // 4
# Error codes of stores whose quota or disk is full; some send only the status.
FULL = ("QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "507")


@contextmanager
def storage_errors(name: str) -> Iterator[None]:
    """Translate errors of S3: to FileNotFoundError, NoSpace or another StorageError."""
    try:
        yield
    except (ClientError, BotoCoreError, Boto3Error) as error:
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
        if code in ("404", "NoSuchKey"):
            raise FileNotFoundError(f"{name} is not in S3") from error
        if code in FULL:
            raise NoSpace(f"S3 has no space for {name}: {error}") from error
        raise StorageError(f"S3 failed at {name}: {error}") from error


class S3Reader(io.RawIOBase):
    """An object in S3 as a seekable file, which is streamed rather than held in memory."""

    # What S3 is sending. Python closes a reader also when `__init__` has failed.
    _window: Any = None

    def __init__(self, content: Any, name: str) -> None:
        super().__init__()
        self._object, self._name = content, name
        self._size: int = content.content_length
        self._place = 0
        self._left = 0  # bytes of the window

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        if start + offset != self._place:
            self._place = max(0, start + offset)
            self._close_window()
        return self._place

    def readinto(self, buffer: Any) -> int:
        wanted = min(len(buffer), self._size - self._place)
        if wanted <= 0:
            return 0
        with storage_errors(self._name):
            if not self._left:
                self._open_window()
            data: bytes = self._window.read(min(wanted, self._left))
        if not data:
            raise StorageError(f"S3 ended {self._name} at byte {self._place} of {self._size}")
        buffer[: len(data)] = data
        self._place += len(data)
        self._left -= len(data)
        return len(data)

    def _open_window(self) -> None:
        self._close_window()
        end = min(self._place + WINDOW, self._size)
        self._window = self._object.get(Range=f"bytes={self._place}-{end - 1}")["Body"]
        self._left = end - self._place

    def _close_window(self) -> None:
        if self._window is not None:
            self._window.close()
        self._window, self._left = None, 0

    def close(self) -> None:
        self._close_window()
        super().close()


class AssetStorage(s3.S3Storage):
    """Files of assets in a bucket. Names have new UUIDs, so no file is ever overwritten."""

    def get_default_settings(self) -> dict[str, Any]:
        transfer = TransferConfig(
            multipart_threshold=WINDOW, multipart_chunksize=WINDOW, max_concurrency=2
        )
        # The parts of an upload in memory, whatever the size of the file.
        transfer.max_in_memory_upload_chunks = 2
        return {
            **super().get_default_settings(),
            # A client still waits when a store that does not respond is reported.
            "client_config": Config(
                signature_version="s3v4",
                connect_timeout=5,
                read_timeout=30,
                retries={"mode": "standard", "total_max_attempts": 3},
            ),
            "transfer_config": transfer,
            "default_acl": None,
            # By default it depends on the name: `gzip` for a tar.gz, which clients would unpack.
            "object_parameters": {"ContentType": "application/octet-stream"},
        }

    def _open(self, name: str, mode: str = "rb") -> File:
        with storage_errors(name):
            content = self.bucket.Object(self._normalize_name(name))
            return File(io.BufferedReader(S3Reader(content, name), BUFFER), name)

    def _save(self, name: str, content: File) -> str:
        with storage_errors(name):
            saved: str = super()._save(name, content)
        return saved

    def delete(self, name: str) -> None:
        with storage_errors(name):
            super().delete(name)

    def exists(self, name: str) -> bool:
        with storage_errors(name):
            return bool(super().exists(name))

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        with storage_errors(path):
            folders, files = super().listdir(path)
        return folders, files

    def size(self, name: str) -> int:
        with storage_errors(name):
            return int(super().size(name))

    def get_modified_time(self, name: str) -> datetime:
        with storage_errors(name):
            modified: datetime = super().get_modified_time(name)
        return modified
