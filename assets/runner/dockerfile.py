"""The entry of a function: what the ENTRYPOINT of its Dockerfile runs."""

import json
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

DOCKERFILE = "Dockerfile"
NAME_OPTION = "--function-name"
EXAMPLE = f'ENTRYPOINT ["python3", "function.py", "{NAME_OPTION}", "train"]'

_INSTRUCTION = re.compile(r"\s*ENTRYPOINT\s+(.*)", re.IGNORECASE)
_COMMENT = re.compile(r"\s*#")


class BuildError(Exception):
    """A function cannot be built; the text is its log: the cause, then the remedy."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What an ENTRYPOINT runs.

    Attributes:
        interpreter: its first word, such as ``python3``.
        options: words between the interpreter and the script, such as ``-u``.
        script: a path below the folder of the archive.
        function_name: which of the script's functions.
    """

    interpreter: str
    script: str
    function_name: str
    options: tuple[str, ...] = ()


def read_entry(function: Path) -> Entry:
    """Return the entry of the unpacked archive at `function`.

    Raises:
        BuildError: its Dockerfile has no ENTRYPOINT of the form that can be run.
    """
    try:
        text = (function / DOCKERFILE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BuildError(f"The {DOCKERFILE} of the function cannot be read: {error}.") from error
    # As in a Dockerfile, the last ENTRYPOINT counts.
    found = [match[1] for line in instructions(text) if (match := _INSTRUCTION.fullmatch(line))]
    if not found:
        raise BuildError(f"The {DOCKERFILE} has no ENTRYPOINT. Add one such as {EXAMPLE}.")
    entry = _entry(found[-1])
    if not (function / entry.script).is_file():
        raise BuildError(
            f"The ENTRYPOINT runs {entry.script}, which the archive does not contain. Add the "
            "file, or name another one."
        )
    return entry


def instructions(text: str) -> list[str]:
    """Return the instructions of a Dockerfile, each in one line, without comments."""
    lines = [line for line in text.splitlines() if not _COMMENT.match(line)]
    return re.sub(r"\\[ \t]*\n", " ", "\n".join(lines)).splitlines()


def _entry(value: str) -> Entry:
    """Return the entry that the text after ENTRYPOINT names. Raises: BuildError."""
    try:
        words = json.loads(value)
    except ValueError:
        words = None
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise _unusable(value, "is not a list of texts in JSON")
    if words.count(NAME_OPTION) != 1 or words[-1] == NAME_OPTION:
        raise _unusable(value, f"has no {NAME_OPTION} with a name")
    at = words.index(NAME_OPTION)
    before, name, after = words[:at], words[at + 1], words[at + 2 :]
    if len(before) < 2 or not before[0] or after:
        raise _unusable(value, "does not consist of an interpreter, a script and a name")
    script = PurePosixPath(before[-1])
    if script.is_absolute() or ".." in script.parts:
        raise _unusable(value, f"runs {script}, which is not a path below the archive's folder")
    return Entry(before[0], str(script), name, tuple(before[1:-1]))


def _unusable(value: str, why: str) -> BuildError:
    return BuildError(f"The ENTRYPOINT {value} {why}. Write it such as {EXAMPLE}.")
