"""Files that are opened when they are first read, so that any number of them can be passed on."""

from collections.abc import Callable
from functools import cached_property
from typing import IO, Any

from django.core.files.base import File


class DeferredFile(File):
    """A file with a known name and size.

    Args:
        open_content: returns the opened content, every time from its beginning.
    """

    def __init__(self, name: str, size: int, open_content: Callable[[], IO[bytes] | File]) -> None:
        # Without super().__init__(), which needs an open file.
        self.name, self.size, self.mode = name, size, "rb"
        self._open_content = open_content

    @cached_property
    def file(self) -> Any:  # type: ignore[override]
        """The content, opened when it is first read."""
        return self._open_content()

    def close(self) -> None:
        """Close the content if it is open; reading on opens it again."""
        if opened := self.__dict__.pop("file", None):
            opened.close()
