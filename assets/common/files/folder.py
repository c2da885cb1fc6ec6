"""Files in a folder, on a disk of this machine or on one that machines share."""

import os

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage
from django.utils._os import safe_makedirs

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL


class AssetStorage(FileSystemStorage):
    """Files of assets in a folder. Names have new UUIDs, so no file is ever overwritten.

    Django's own storage looks for a name that is free, which takes longer than to write a file.
    """

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name

    def _save(self, name: str, content: File) -> str:
        path, mode = self.path(name), self.file_permissions_mode or 0o600
        try:
            descriptor = os.open(path, _NEW, mode)
        except FileNotFoundError:
            folder = os.path.dirname(path)  # noqa: PTH120
            safe_makedirs(folder, self.directory_permissions_mode or 0o700, exist_ok=True)
            descriptor = os.open(path, _NEW, mode)
        with open(descriptor, "wb") as file:  # noqa: PTH123  it has no path
            file.writelines(content.chunks())
        return name
