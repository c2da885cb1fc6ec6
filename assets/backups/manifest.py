"""The manifest of a backup, and the paths of its parts.

A backup is a folder::

    manifest.json        written last: a folder without it is no backup
    rows/<table>.jsonl   one JSON list a row, the values in the order of the manifest's columns
    files.jsonl          [name, sha256, size] of every stored file that a row names
    files/<name>         the files
"""

import hashlib
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

FORMAT = 1
CHUNK = 1024 * 1024  # bytes


class BackupError(Exception):
    """A backup cannot be made or restored. The text has the cause and the remedy."""


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of one table in a backup.

    `sha256` is that of the file. `digest` does not depend on the order of the rows, since databases
    sort differently.
    """

    model: str
    columns: list[str]
    rows: int
    sha256: str
    digest: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup contains; checked before the first row is restored."""

    version: str
    made_at: str
    database: str
    migrations: list[str]
    tables: list[Table]
    files: int
    bytes: int
    files_sha256: str
    # Names of files that were missing or damaged when the backup was made.
    damaged: list[str] = field(default_factory=list)
    format: int = FORMAT

    def write(self, folder: Path) -> None:
        """Write the manifest atomically, after everything else is on the disk."""
        os.sync()
        half = folder / "manifest.json.new"
        with half.open("xb") as file:
            file.write(orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2))
            file.flush()
            os.fsync(file.fileno())
        half.rename(manifest_path(folder))
        os.sync()


def manifest_path(folder: Path) -> Path:
    return folder / "manifest.json"


def rows_path(folder: Path, model: str) -> Path:
    return folder / "rows" / f"{model}.jsonl"


def files_list(folder: Path) -> Path:
    return folder / "files.jsonl"


def file_path(folder: Path, name: str) -> Path:
    """Return the path of a file's copy in the backup.

    Raises:
        BackupError: the name leads out of the backup.
    """
    root = folder / "files"
    path = root / name
    if not path.resolve().is_relative_to(root.resolve()):
        raise BackupError(f"The file name {name!r} leads out of the backup.")
    return path


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of the backup in `folder`.

    Raises:
        BackupError: the manifest is missing, unreadable or of another format.
    """
    try:
        content: dict[str, Any] = orjson.loads(manifest_path(folder).read_bytes())
        if content.get("format") != FORMAT:
            raise BackupError(
                f"The backup has format {content.get('format')}, and this version reads {FORMAT}. "
                f"Restore it with Registrar {content.get('version')}, which made it."
            )
        tables = [Table(**table) for table in content.pop("tables")]
        return Manifest(tables=tables, **content)
    except FileNotFoundError as error:
        raise BackupError(
            f"{folder} has no manifest.json, so it is no backup, or an incomplete one."
        ) from error
    except (orjson.JSONDecodeError, TypeError, KeyError, AttributeError) as error:
        raise BackupError(f"{manifest_path(folder)} cannot be read: {error}") from error


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
