"""Makes specs of rows. Types only: the rules are those of every other registration."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from pathlib import PurePath, PurePosixPath
from typing import Any
from uuid import UUID, uuid5

import orjson
from django.core.files.base import File
from django.utils.translation import gettext as _

from ..common.parsing import Reader, as_key
from ..datasets.specs import DataSampleSpec, DatasetSpec
from ..functions.specs import FunctionSpec, read_inputs, read_outputs
from ..permissions.specs import PermissionsSpec, read_permissions
from .sources import Source, Unusable
from .specs import METADATA, RUNNER_PATHS, Row

# All keys of imported assets derive from it; another one would register everything again.
NAMESPACE = UUID("6a4f7d0c-3d0e-5f3b-9a53-0d4b7a1f2c68")
PUBLIC = "public"
_SEPARATORS = re.compile(r"[;,\s]+")

AnySpec = DatasetSpec | FunctionSpec | DataSampleSpec


class RowReader(Reader):
    """Reads the values of a row, which CSV has as texts and JSON also as objects and lists."""

    def __init__(self, row: Row, source: Source) -> None:
        super().__init__(row.kind.asset.word)
        self.values, self.source = row.values, source
        self.problems += row.problems

    def name(self, column: str = "name") -> str:
        return self.text(self.values, column)

    def file(self, column: str, find: Callable[[str], File] | None = None) -> File | None:
        """Return the file that a column names; None if it names none, for the rules to report."""
        if not (path := self.text(self.values, column)):
            return None
        try:
            return (find or self.source.file)(path)
        except (Unusable, OSError) as error:
            self.complain(column, getattr(error, "strerror", None) or str(error))
            return None

    def metadata(self) -> dict[str, Any]:
        return self.mapping(self.values, METADATA)

    def permissions(self, column: str) -> PermissionsSpec:
        """Read ``public``, ids of organisations, or the object of the API; blank: the owner."""
        value = self.values.get(column)
        if value == PUBLIC:
            return PermissionsSpec(public=True)
        if isinstance(value, str):
            value = _items(value, _SEPARATORS)
        if isinstance(value, list):
            value = {"authorized_ids": value}
        return read_permissions(self, {column: value}, column)

    def slots(self, column: str, read: Callable[[Reader, Mapping[str, Any]], list]) -> list:
        """Read inputs or outputs: as in the API, or ``IDENTIFIER KIND [multiple] [optional]; …``.

        Args:
            read: the function of the API that reads them.
        """
        value = self.values.get(column)
        if isinstance(value, str):
            value = [self._slot(column, text.split()) for text in _items(value, re.compile(";"))]
        return read(self, {column: value})

    def _slot(self, column: str, words: list[str]) -> dict[str, Any]:
        identifier, kind, *flags = [*words, "", ""][: max(2, len(words))]
        if unknown := set(flags) - {"multiple", "optional"}:
            message = _('"%(word)s" is neither multiple nor optional. Separate by semicolons.')
            self.complain(column, message % {"word": sorted(unknown)[0]})
        return {"identifier": identifier, "kind": kind, **dict.fromkeys(flags, True)}

    def dataset_keys(self, column: str, key_of: Callable[[str], UUID]) -> list[UUID]:
        """Read keys or names of datasets.

        Args:
            key_of: returns the key of a dataset of the list by its name. Raises: LookupError with
                the reason why there is none.
        """
        value = self.values.get(column)
        texts = _items(value, re.compile(";")) if isinstance(value, str) else value
        found = []
        for text in self.items({column: texts}, column):
            try:
                found.append(as_key(text) or key_of(str(text)))
            except LookupError as error:
                self.complain(column, str(error.args[0]))
        return found


def _items(text: str, separator: re.Pattern) -> list[str]:
    return [item.strip() for item in separator.split(text) if item.strip()]


def read_dataset(reader: RowReader) -> DatasetSpec:
    return DatasetSpec(
        name=reader.name(),
        type=reader.name("type"),
        data_opener=reader.file("data_opener"),
        description=reader.file("description"),
        permissions=reader.permissions("permissions"),
        logs_permission=reader.permissions("logs_permission"),
        metadata=reader.metadata(),
    )


def read_function(reader: RowReader) -> FunctionSpec:
    return FunctionSpec(
        name=reader.name(),
        file=reader.file("file"),
        description=reader.file("description"),
        permissions=reader.permissions("permissions"),
        metadata=reader.metadata(),
        inputs=reader.slots("inputs", read_inputs),
        outputs=reader.slots("outputs", read_outputs),
    )


def read_sample(reader: RowReader, key_of: Callable[[str], UUID]) -> DataSampleSpec:
    """Return the spec of one sample, whose archive has the name of its path."""
    keys = reader.dataset_keys("data_manager_keys", key_of)
    if at_runner := reader.name(RUNNER_PATHS):
        return DataSampleSpec(keys, runner_paths=[PurePosixPath(at_runner)])
    if not reader.name("path"):
        reader.complain("path", _("cannot be blank. Give the path of an archive or a folder."))
    archive = reader.file("path", reader.source.sample)
    return DataSampleSpec(keys, {} if archive is None else {reader.name("path"): archive})


# --- Keys ----------------------------------------------------------------------------------------


def key_of_spec(spec: AnySpec, owner: str) -> UUID:
    """Return the key of what a spec registers: the same for the same values, files and owner.

    So a second run knows what the first one registered, without any memory of its own. Values that
    are the spec's defaults do not count: a later version may have more of them.
    """
    values = {
        field.name: _plain(value, owner)
        for field in fields(spec)
        if field.name != "key" and (value := getattr(spec, field.name)) != _default(field)
    }
    content = orjson.dumps([type(spec).__name__, owner, values], option=orjson.OPT_SORT_KEYS)
    return uuid5(NAMESPACE, content.decode())


def _default(field: Any) -> Any:
    factory = field.default_factory
    return field.default if factory is MISSING else factory()


def _plain(value: Any, owner: str) -> Any:
    if isinstance(value, File):
        return checksum_of(value)
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, PermissionsSpec):
        return PUBLIC if value.public else value.owned_by(owner).authorized_ids
    if isinstance(value, Mapping):
        return {name: _plain(item, owner) for name, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return {name: item for name, item in asdict(value).items() if item}
    if isinstance(value, list | tuple):
        return [_plain(item, owner) for item in value]
    return value


def checksum_of(file: File) -> str:
    """Return the sha256 of a file, and close it.

    Raises:
        OSError, Unusable: it cannot be read.
    """
    digest = hashlib.sha256()
    with file:
        for chunk in file.chunks():
            digest.update(chunk)
    return digest.hexdigest()
