"""Where an import's files are: a folder, or a zip whose members are read one by one.

Paths are relative and inside the source. Files are opened when they are first read, and a folder
that is a data sample is then packed as a zip, as the SDK and the pages pack it.
"""

import io
import os
import shutil
import tempfile
import zipfile
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from django.conf import settings
from django.core.files.base import File
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from ..common.files.archives.check import MAX_TABLE_SIZE, UNREADABLE, read_entries
from ..common.files.archives.names import Entry, UnsafeArchive, plain_path
from ..common.files.archives.zips import Zip
from ..common.files.deferred import DeferredFile
from ..common.files.hidden import hidden_paths, is_hidden

# A member of a zip is unpacked in memory.
MAX_MEMBER_SIZE = 64 * 1024**2


class Unusable(Exception):
    """A path names no file that can be read; the text says why, and follows the path's field."""


class Source:
    """The files of an import by their paths, which have ``/`` between the names."""

    def lists(self) -> Sequence[str]:
        """Return the names of the files beside which paths begin."""
        raise NotImplementedError

    def file(self, path: str) -> File:
        """Return a file. Raises: Unusable if it is missing, a folder, or outside the source."""
        path = _inside(path)
        found = self._file(path)
        if found is None:
            if self._folder(path):
                raise Unusable(_('"%(path)s" is a folder. Give the file in it.') % {"path": path})
            raise _missing(path)
        return found

    def sample(self, path: str) -> File:
        """Return the archive of a data sample: a file itself, a folder as a zip.

        Raises:
            Unusable: there is neither, or the path leads out of the source.
        """
        path = _inside(path)
        if (found := self._file(path)) is not None:
            return found
        members = self._folder(path)
        if not members:
            raise _missing(path)
        size = sum(member.size or 0 for member in members.values())
        return DeferredFile(f"{path}.zip", size, lambda: _packed(members))

    def _file(self, path: str) -> File | None:
        raise NotImplementedError

    def _folder(self, path: str) -> Mapping[str, File]:
        """Return the files below a folder by their paths in it, without hidden ones."""
        raise NotImplementedError


def _inside(path: str) -> str:
    try:
        return plain_path(path)
    except UnsafeArchive as error:
        raise Unusable(
            _(
                '"%(path)s" is not a path inside the folder. Use a relative path such as '
                "files/opener.py, without '..' and backslashes."
            )
            % {"path": path}
        ) from error


def _missing(path: str) -> Unusable:
    message = _('there is no file "%(path)s". Add it, or correct the path; letter case counts.')
    return Unusable(message % {"path": path})


def _packed(members: Mapping[str, File]) -> IO[bytes]:
    """Return a zip; the same members give the same bytes, so that a second run recognises them."""
    folder = settings.FILE_UPLOAD_TEMP_DIR
    packed: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  its reader closes it
    with zipfile.ZipFile(packed, "w") as archive:
        for path, member in sorted(members.items()):
            info = zipfile.ZipInfo(path)
            info.file_size = member.size or 0
            with archive.open(info, "w") as target:
                shutil.copyfileobj(member, target)
            member.close()
    packed.seek(0)
    return packed


class FolderSource(Source):
    """A folder on this machine. Links that lead out of it are refused."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def lists(self) -> Sequence[str]:
        return sorted(path.name for path in self.root.iterdir() if path.is_file())

    def _file(self, path: str) -> File | None:
        place = self._place(path)
        return _local(place, path) if place.is_file() else None

    def _folder(self, path: str) -> Mapping[str, File]:
        root = self._place(path)
        found: dict[str, File] = {}
        for parent, folders, names in os.walk(root):
            folders[:] = [name for name in folders if not is_hidden(name)]
            for name in names:
                place = Path(parent, name)
                if not is_hidden(name) and place.is_file():
                    self._check_inside(place)
                    inner = place.relative_to(root).as_posix()
                    found[inner] = _local(place, inner)
        return found

    def _place(self, path: str) -> Path:
        place = self.root / path
        self._check_inside(place)
        return place

    def _check_inside(self, place: Path) -> None:
        if not place.resolve().is_relative_to(self.root):
            message = _('"%(path)s" is a link out of the folder. Copy the file into the folder.')
            raise Unusable(message % {"path": place.relative_to(self.root)})


def _local(place: Path, name: str) -> File:
    return DeferredFile(name, place.stat().st_size, lambda: place.open("rb"))


class ZipSource(Source):
    """A zip. If everything is in one folder at its root, paths begin in that folder.

    Raises:
        UnsafeArchive: it is no zip, is damaged, or cannot be unpacked safely.
    """

    def __init__(self, file: File, *, is_checked: bool = False) -> None:
        if not is_checked:
            read_entries(file)
        try:
            self.zip = Zip(file, MAX_TABLE_SIZE)
            found = [(entry, header) for entry, header in self.zip.entries() if not entry.is_folder]
        except UNREADABLE as error:
            raise UnsafeArchive(
                _("this is not a zip. Put the folder with the lists into a .zip.")
            ) from error
        hidden = set(hidden_paths(entry.name for entry, _header in found))
        members = {entry.name: (entry, header) for entry, header in found}
        shown = [name for name in members if name not in hidden]
        tops = {name.partition("/")[0] for name in shown}
        top = f"{tops.pop()}/" if len(tops) == 1 and all("/" in name for name in shown) else ""
        self.members = {name.removeprefix(top): members[name] for name in shown}
        self._names = sorted(self.members)

    def lists(self) -> Sequence[str]:
        return sorted(name for name in self.members if "/" not in name)

    def _file(self, path: str) -> File | None:
        if path not in self.members:
            return None
        entry, header = self.members[path]
        return _member(entry, lambda: self.zip.content(header))

    def _folder(self, path: str) -> Mapping[str, File]:
        prefix = f"{path}/"
        # "0" is the character after "/".
        start, end = (bisect_left(self._names, text) for text in (prefix, f"{path}0"))
        return {
            name.removeprefix(prefix): found
            for name in self._names[start:end]
            if (found := self._file(name))
        }


def _member(entry: Entry, read: Callable[[], bytes]) -> File:
    values = {
        "path": entry.name,
        "method": entry.packed_by,
        "limit": filesizeformat(MAX_MEMBER_SIZE),
    }
    if entry.packed_by:
        message = _('"%(path)s" is compressed by %(method)s. Make the zip with Deflate.')
        raise Unusable(message % values)
    if entry.size > MAX_MEMBER_SIZE:
        message = _(
            '"%(path)s" is larger than %(limit)s, the most for a file in a zip. Register it on a '
            "page of its own, or ask an administrator to import the folder."
        )
        raise Unusable(message % values)

    def content() -> IO[bytes]:
        try:
            return io.BytesIO(read())
        except UNREADABLE as error:
            message = _('"%(path)s" is damaged. Make the zip again.')
            raise Unusable(message % values) from error

    return DeferredFile(entry.name, entry.size, content)
