"""The lists of an import, their columns, and their rows as plain values."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from django.utils.translation import gettext as _

from ..common.errors import Code, Problem
from ..common.kinds import AssetKind

METADATA = "metadata"
# Folders that stay at runners; a row of one data sample has one path.
RUNNER_PATHS = "runner_paths"
# What begins the columns of CSV that hold one value of the metadata each.
METADATA_PREFIX = f"{METADATA}."


class ListKind(NamedTuple):
    """One kind of list: the name of its file without the suffix, its kind of asset, its columns."""

    name: str
    asset: AssetKind
    columns: tuple[str, ...]


DATASETS = ListKind(
    "datasets",
    AssetKind.DATA_MANAGER,
    (
        *("name", "type", "data_opener", "description"),
        *("permissions", "logs_permission", METADATA),
    ),
)
FUNCTIONS = ListKind(
    "functions",
    AssetKind.FUNCTION,
    ("name", "file", "description", "inputs", "outputs", "permissions", METADATA),
)
DATA_SAMPLES = ListKind(
    "data_samples",
    AssetKind.DATA_SAMPLE,
    ("path", "paths", RUNNER_PATHS, "data_manager_keys"),
)
# In the order in which they are registered: samples belong to datasets.
LIST_KINDS = (DATASETS, FUNCTIONS, DATA_SAMPLES)


@dataclass(slots=True)
class Row:
    """One asset of a list, or what keeps the whole list from being read.

    Attributes:
        file: the name of the list, such as ``datasets.csv``.
        number: its line in CSV, its place in JSON, from 1; 0 for the whole list.
        values: by column. CSV has texts only; JSON may have objects and lists.
    """

    kind: ListKind
    file: str
    number: int
    values: Mapping[str, Any] = field(default_factory=dict)
    problems: Sequence[Problem] = ()

    @property
    def name_column(self) -> str:
        """The column that names the row: the name, or the path of a data sample."""
        if self.kind is not DATA_SAMPLES:
            return "name"
        return RUNNER_PATHS if RUNNER_PATHS in self.values else "path"

    @property
    def name(self) -> str:
        """The name of the asset, or the path of a data sample."""
        found = self.values.get(self.name_column)
        return found if isinstance(found, str) else ""

    @property
    def place(self) -> str:
        """Where the row is, such as "datasets.csv, line 3"."""
        values = {"file": self.file, "number": self.number}
        if not self.number:
            return self.file
        if self.file.endswith(".json"):
            return _("%(file)s, item %(number)d") % values
        return _("%(file)s, line %(number)d") % values

    def line(self, field: str, message: str) -> str:
        """Return a message about a field as one line with the place."""
        return ": ".join(filter(None, (self.place, field, message)))

    def problem(self, field: str, message: str) -> Problem:
        """Return a problem of this row."""
        return Problem(Code.INVALID, message, field, self.kind.asset.word)


class State(enum.Enum):
    """What became of a row, or would become of it."""

    NEW = "new"
    REGISTERED = "registered"
    # By an earlier run.
    KNOWN = "known"
    REFUSED = "refused"


@dataclass(slots=True)
class Outcome:
    """What became of a row.

    Attributes:
        spec: what the row describes.
        key: the key of its asset, if the row can be read.
    """

    row: Row
    state: State
    spec: Any = None
    key: UUID | None = None
    problems: Sequence[Problem] = ()

    @property
    def lines(self) -> list[str]:
        """Each problem with its place and field, as commands print it."""
        return [self.row.line(problem.field, problem.message) for problem in self.problems]
