"""What a function needs installed, read from the Dockerfile of its archive as a person reads it."""

import hashlib
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..dockerfile import DOCKERFILE, BuildError, Entry, instructions

# Without it in a Dockerfile: it is in the base image, or comes with another package.
SUBSTRATOOLS = "substratools>=1,<2"

_RUN = re.compile(r"\s*RUN\s+(?:--\S+\s+)*(.*)", re.IGNORECASE)
_FROM = re.compile(r"\s*FROM\s+(?:--\S+\s+)*(\S+)", re.IGNORECASE)
_PYTHON = re.compile(r"python(?:(\d)(?:\.(\d+))?)?")
_IMAGE_PYTHON = re.compile(r"python:?(3\.\d+)")
_SUBSTRATOOLS_IMAGE = re.compile(r"(?:^|/)substra-?tools:v?(\d+(?:\.\d+)+)")
_REDIRECTION = re.compile(r"(?<!\S)\d?>{1,2}\s*(?:&\d|[^\s&;|]+)")
_PIP = re.compile(r"pip(3(\.\d+)?)?")
_ARCHIVES = (".whl", ".zip", ".tar.gz")
# A word that names a path: after an option, and before the extras of a package.
_WORD = re.compile(r"(--[\w-]+=|-[rcf])?([^-\[].*?)(\[[^\]]*\])?")

# Options that an environment does without: it is a user's own, and what is installed from a
# folder is a copy, because that folder is gone when the function runs.
_UNFIT = {"-e", "--editable", "--user", "--system", "--no-compile"}

# What an image needs and an environment does not: users, rights, and tidying up.
_NEEDLESS = {
    *("addgroup", "adduser", "groupadd", "useradd", "usermod", "chmod", "chown", "mkdir", "rm"),
    *("source", ".", "cd", "echo", "export", "ls", "set", "test", "touch", "true", ":"),
}
_NEEDLESS_APT = {"update", "upgrade", "clean", "autoclean", "autoremove", "purge", "remove"}


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a function needs.

    Attributes:
        python: the version that it needs, such as ``3.11``; blank if any will do.
        preferred: the version of its base image, taken where it is there.
        installs: the arguments of one call of pip after another, in the folder of the archive.
        files: the files of the archive that these calls read, below that folder.
    """

    python: str
    preferred: str
    installs: tuple[tuple[str, ...], ...]
    files: tuple[Path, ...]

    def digest(self, function: Path, interpreter: str) -> str:
        """Return what an environment by this recipe is kept by; `interpreter` says whose it is."""
        contents = []
        for name in self.files:
            with (function / name).open("rb") as file:
                contents.append((str(name), hashlib.file_digest(file, "sha256").hexdigest()))
        return hashlib.sha256(repr((interpreter, self.installs, contents)).encode()).hexdigest()


def read_recipe(function: Path, entry: Entry) -> Recipe:
    """Return the recipe of the unpacked archive at `function`.

    Raises:
        BuildError: its Dockerfile does what only an image can.
    """
    lines = instructions((function / DOCKERFILE).read_text(encoding="utf-8"))
    images = [match[1] for line in lines if (match := _FROM.match(line))]
    brought = [match[1] for image in images if (match := _SUBSTRATOOLS_IMAGE.search(image))]
    pythons = [match[1] for image in images if (match := _IMAGE_PYTHON.search(image))]
    commands = [
        words for line in lines if (match := _RUN.fullmatch(line)) for words in _installs(match[1])
    ]
    installs = [tuple(_located(function, word) for word in words) for words in commands]
    read: set[Path] = set()
    return Recipe(
        python=_python(entry),
        preferred=pythons[-1] if pythons else "",
        installs=(*((f"substratools=={version}",) for version in brought), *installs),
        files=tuple(
            dict.fromkeys(file for words in installs for file in _files(function, words, read))
        ),
    )


def _python(entry: Entry) -> str:
    """Return the version of Python that an entry names. Raises: BuildError."""
    match = _PYTHON.fullmatch(PurePosixPath(entry.interpreter).name)
    if not match or match[1] == "2":
        raise BuildError(
            f"The ENTRYPOINT starts {entry.interpreter}, but the process engine runs Python 3 "
            'only. Write "python3" there, or let a runner with the container engine run this '
            "function."
        )
    return f"3.{match[2]}" if match[2] else ""


def _installs(run: str) -> Iterator[list[str]]:
    """Yield the arguments of pip in the commands of a RUN instruction. Raises: BuildError."""
    for command in _commands(run):
        words = list(command)
        while words and (re.fullmatch(r"\w+=.*", words[0]) or words[0] in ("sudo", "exec")):
            del words[0]
        if len(words) > 2 and _PYTHON.fullmatch(_name(words)) and words[1] == "-m":
            del words[:2]
        if words and _name(words) == "uv":
            del words[0]
        if _is_needless(words):
            continue
        if not (_PIP.fullmatch(_name(words)) and words[1:2] == ["install"]):
            raise _only_in_an_image(" ".join(command))
        if any("$" in word for word in words):
            raise BuildError(
                f"The {DOCKERFILE} runs `{' '.join(command)}`, with a variable, which the process "
                "engine does not know. Write its value there."
            )
        yield [word for word in words[2:] if word not in _UNFIT]


def _commands(run: str) -> Iterator[list[str]]:
    """Yield the words of each command of a line for the shell. Raises: BuildError."""
    if run.lstrip().startswith("["):
        raise _only_in_an_image(run)
    lexer = shlex.shlex(_REDIRECTION.sub("", run), posix=True, punctuation_chars="&;|")
    lexer.whitespace_split = True
    lexer.commenters = ""
    command: list[str] = []
    try:
        for word in [*lexer, ";"]:
            if word and set(word) <= set("&;|"):
                if command:
                    yield command
                command = []
            else:
                command.append(word)
    except ValueError as error:  # a quotation without its end
        raise _only_in_an_image(run) from error


def _name(words: list[str]) -> str:
    return PurePosixPath(words[0]).name if words else ""


def _is_needless(words: list[str]) -> bool:
    """Return whether a function in an environment can do without this command."""
    name, options = _name(words), [word for word in words[1:] if not word.startswith("-")]
    verb = options[0] if options else ""
    if name in ("apt", "apt-get"):
        return verb in _NEEDLESS_APT
    if _PIP.fullmatch(name):
        return verb in ("cache", "check", "config", "freeze", "list", "uninstall")
    return not name or name in ("venv", "ensurepip") or name in _NEEDLESS


def _only_in_an_image(command: str) -> BuildError:
    return BuildError(
        f"The {DOCKERFILE} runs `{command.strip()}`, which the process engine cannot do: it only "
        "installs Python packages. Leave it out, or let a runner with the container engine run "
        "this function."
    )


def _located(function: Path, word: str) -> str:
    """Return the word; if it names a file or folder of the archive, with the path it has there.

    In an image it may have been copied elsewhere: ``/app/wheels/a.whl`` is ``wheels/a.whl``.
    """
    match = _WORD.fullmatch(word)
    found = _find(function, match[2]) if match else None
    if match is None or found is None:
        return word
    return f"{match[1] or ''}./{found}{match[3] or ''}"


def _find(function: Path, word: str) -> Path | None:
    """Return the path below `function` of the file or folder that a word names, if it does."""
    path = PurePosixPath(word.removeprefix("file:").removeprefix("//"))
    parts = path.parts[1:] if path.is_absolute() else path.parts
    if ".." in parts:
        return None
    # As pip reads it: a bare name is a package, even where a folder is called so.
    is_path = "/" in word or word.startswith(".")
    for start in range(len(parts) if path.is_absolute() else 1):
        found = Path(*parts[start:])
        if (function / found).is_file() or (is_path and (function / found).is_dir()):
            return found
    return None


def _files(function: Path, words: Sequence[str], read: set[Path]) -> Iterator[Path]:
    """Yield the files of the archive that pip reads if these are its arguments.

    Args:
        read: the files that need not be read again: lists may name each other. It grows.
    """
    for word in words:
        match = _WORD.fullmatch(word)
        found = _find(function, match[2]) if match else None
        if found is None or found in read:
            continue
        read.add(found)
        path = function / found
        if path.is_dir():
            yield from sorted(f.relative_to(function) for f in path.rglob("*") if f.is_file())
            continue
        yield found
        if not path.name.endswith(_ARCHIVES):
            # A list of requirements, which may name further lists and wheels.
            yield from _files(function, path.read_text(errors="replace").split(), read)
