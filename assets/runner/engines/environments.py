"""Virtual environments of functions: each made once for all that need the same."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from ast import literal_eval
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from ..cache import Cache
from ..dockerfile import BuildError, Entry
from . import EngineError, Limits
from .limits import LastBytes, size_text, time_message, written
from .recipes import SUBSTRATOOLS, Recipe, read_recipe
from .sandbox import sandboxed
from .supervision import processes, supervise, why_too_much

INSTALLATION = "The installation of packages"
NO_BUILDING = "Install packages that need no building"
LONGEST_SCRIPT = 2**20  # bytes; those that pip writes have a few hundred
SOURCE = "source"  # the folder in an environment that pip works in, gone when it is whole
# Python runs this first. A function imports large packages, uses them and ends; looking for cycles
# in what stays to the end takes a third of that time, and frees nothing.
STARTUP = (
    "registrar.pth",
    "import atexit, gc; gc.set_threshold(100_000, 50, 100); atexit.register(gc.freeze)\n",
)
# What of the machine's configuration of pip counts: where packages come from.
PIP_OPTIONS = {
    *("index-url", "extra-index-url", "find-links", "no-index", "trusted-host", "constraint"),
    *("cert", "client-cert", "proxy", "timeout", "default-timeout", "retries"),
    *("only-binary", "no-binary", "prefer-binary"),
}
NETWORK_VARIABLES = (
    *("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
)
_LOST = re.compile(
    rb"NewConnectionError|NameResolutionError|ConnectTimeoutError|ReadTimeoutError|ProxyError"
)
_PROBE = (
    "import ensurepip, json, os, sys, venv;"
    "json.dump([os.path.realpath(sys._base_executable), sys.base_prefix,"
    " '%d.%d.%d' % sys.version_info[:3]], sys.stdout)"
)


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python of this machine: its program, the folder of its library, and its version."""

    program: str
    prefix: Path
    version: str


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment that is whole."""

    path: Path
    interpreter: Interpreter

    @property
    def python(self) -> Path:
        return self.path / "bin" / "python"

    @property
    def readable(self) -> tuple[Path, ...]:
        """What a process needs to see in order to run its Python."""
        return (self.path, self.interpreter.prefix)


class Environments:
    """The environments in a folder, which other runners on this machine may use at once."""

    def __init__(self, folder: Path, size: int, *, sandbox: bool) -> None:
        """Keep at most `size` bytes in `folder`; with `sandbox`, pip sees little else."""
        self._cache = Cache(folder, size)
        self._sandbox = sandbox
        self._needs: dict[str, tuple[Recipe, Interpreter, str]] = {}

    @contextmanager
    def environment(
        self, function: Path, digest: str, entry: Entry, limits: Limits, stop: Event
    ) -> Iterator[Environment]:
        """Yield what the unpacked function runs in, which is made if it is not there.

        Args:
            digest: of the function's archive.

        Raises:
            BuildError: it cannot be made; the text is the log.
            EngineError: it cannot be made for want of something on this machine.
            Stopped: `stop` was set while another made it.
        """
        if digest not in self._needs:
            recipe = read_recipe(function, entry)
            interpreter = _find_interpreter(recipe)
            name = recipe.digest(function, repr((interpreter, STARTUP)))
            self._needs[digest] = (recipe, interpreter, name)
        recipe, interpreter, name = self._needs[digest]

        def make(path: Path) -> None:
            making = _Making(path, interpreter, self._cache.size, self._sandbox, limits, stop)
            making.make(function, recipe)
            _move_scripts(path / "bin", path, self._cache.entries / name)

        with self._cache.held(name, make, stop) as path:
            yield Environment(path, interpreter)


class _Making:
    """The making of one environment: its steps, with one log and one limit of time."""

    def __init__(
        self,
        path: Path,
        interpreter: Interpreter,
        size: int,
        sandbox: bool,
        limits: Limits,
        stop: Event,
    ) -> None:
        self._environment = Environment(path, interpreter)
        self._size = size
        self._sandbox = sandbox
        self._limits = limits
        self._stop = stop
        self._started = time.monotonic()
        self._log = LastBytes(limits.log_bytes)
        self._variables: dict[str, str] = {}

    def make(self, function: Path, recipe: Recipe) -> None:
        """Make the environment, with what pip reads of the function in a folder of its own."""
        path = self._environment.path
        source = path / SOURCE
        source.mkdir(parents=True)
        for name in recipe.files:
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(function / name, source / name)
        self._run(self._environment.interpreter.program, "-m", "venv", str(path))
        self._variables = pip_variables(self._environment.python)
        (packages,) = path.glob("lib/python*/site-packages")
        (packages / STARTUP[0]).write_text(STARTUP[1])
        # From here on, code of others may leave links in the environment: write nothing by name.
        for words in recipe.installs:
            self._install(*words)
        if not (packages / "substratools").is_dir():
            self._install(SUBSTRATOOLS)
        # On all processors, which takes most of the time. Some packages have files that do not
        # compile, and that nothing imports.
        python = str(self._environment.python)
        self._run(python, "-m", "compileall", "-q", "-j", "0", str(path / "lib"), may_fail=True)
        shutil.rmtree(source)

    def _install(self, *words: str) -> None:
        self._log.add(f"$ pip install {' '.join(words)}\n".encode())
        self._run(str(self._environment.python), "-m", "pip", "install", "--no-compile", *words)

    def _run(self, *command: str, may_fail: bool = False) -> None:
        path = self._environment.path
        work = path / SOURCE
        words = list(command)
        if self._sandbox:
            words = sandboxed(
                command,
                work=work,
                readable=(*self._environment.readable, *_paths(self._variables)),
                writable=(path,),
                memory=self._limits.memory,
                network=True,
            )
        ended = supervise(
            words,
            folder=work,
            environment={
                "PATH": f"{path / 'bin'}:{os.defpath}",
                "HOME": str(work),
                "TMPDIR": str(work),
                "LANG": "C.UTF-8",
                "PIP_DISABLE_PIP_VERSION_CHECK": "1",
                # Packages of one function must not come from what another has put there.
                "PIP_NO_CACHE_DIR": "1",
                "PIP_NO_INPUT": "1",
                **self._variables,
            },
            log=self._log,
            # What may fail compiles, on all processors, and runs nothing of others.
            why_end=self._why_late_or_large if may_fail else self._why_end,
            stop=self._stop,
        )
        if ended.why or (ended.code and not may_fail):
            log = self._log.value(ended.why)
            if _LOST.search(log):
                raise EngineError(
                    "pip cannot reach the index of packages. Check the network, and pip's "
                    f"configuration (pip config list).\n{log.decode(errors='replace')}"
                )
            raise BuildError(log.decode(errors="replace"))

    def _why_end(self, pid: int) -> str:
        # A package may bring code that pip runs.
        why = why_too_much(
            list(processes(pid)), self._limits, INSTALLATION, NO_BUILDING, NO_BUILDING
        )
        return why or self._why_late_or_large(pid)

    def _why_late_or_large(self, _: int) -> str:
        if time.monotonic() - self._started > self._limits.seconds:
            return time_message(self._limits, INSTALLATION)
        if written(self._environment.path) > self._size:
            return (
                f"The packages take more than {size_text(self._size)}. Install fewer, or start "
                "the runner with a higher --cache-size."
            )
        return ""


def _move_scripts(folder: Path, old: Path, new: Path) -> None:
    """Let the scripts in `folder` start the Python of the environment where it stays.

    Links are left alone: packages may bring some that lead out of the environment.
    """
    for path in [] if folder.is_symlink() else folder.iterdir():
        if path.is_symlink() or not path.is_file() or path.stat().st_size > LONGEST_SCRIPT:
            continue
        text = path.read_bytes()
        if text.startswith(b"#!"):
            path.write_bytes(text.replace(bytes(old), bytes(new)))


def pip_variables(python: Path) -> dict[str, str]:
    """Return the variables that say to pip where packages come from, as the user has configured.

    An environment's pip sees no home and no file of the system, so it needs them as variables.
    """
    listing = subprocess.run(  # noqa: S603 - this program's own
        [python, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    sections = {"global": 0, "install": 1, ":env:": 2}
    ranked = []
    for line in listing.splitlines():
        name, _, value = line.partition("=")
        section, _, option = name.partition(".")
        option = option.lstrip(".")
        if section in sections and option in PIP_OPTIONS:
            ranked.append((sections[section], option, str(literal_eval(value))))
    found = {
        "PIP_" + option.upper().replace("-", "_"): " ".join(value.split())
        for _, option, value in sorted(ranked)
    }
    return found | {name: os.environ[name] for name in NETWORK_VARIABLES if name in os.environ}


def _paths(variables: Mapping[str, str]) -> Iterator[Path]:
    """Yield the files and folders of this machine that the variables name."""
    for value in variables.values():
        for word in value.split():
            path = Path(word.removeprefix("file://"))
            if path.is_absolute() and path.exists():
                # An index in a folder refers to packages in a folder beside it.
                yield path.parent if path.name == "simple" else path


# --- Interpreters --------------------------------------------------------------------------------


def check_interpreter() -> None:
    """Return if environments can be made on this machine. Raises: EngineError if not."""
    if _interpreter("") is None:
        raise EngineError(
            "The process engine needs Python's module venv to install what functions need. "
            "Install the package python3-venv."
        )


def _find_interpreter(recipe: Recipe) -> Interpreter:
    """Return a Python of this machine that fits. Raises: BuildError if there is none."""
    found = _interpreter(recipe.python or recipe.preferred)
    if found is None and not recipe.python:
        found = _interpreter("")
    if found is None:
        version = recipe.python or "3"
        raise BuildError(
            f"The function needs Python {version} with its module venv, which the runner's "
            f"machine does not have. Install it there, so that it is found as python{version}, or "
            "let a runner with the container engine run this function."
        )
    return found


def _interpreter(version: str) -> Interpreter | None:
    """Return a Python of this version, or of any if it is blank: this program's own if it fits."""
    for program in (sys.executable, f"python{version}", "python3"):
        if not shutil.which(program):
            continue
        answer = subprocess.run(  # noqa: S603 - a Python
            [program, "-I", "-c", _PROBE], capture_output=True, text=True, check=False
        )
        if answer.returncode == 0:
            base, prefix, found = json.loads(answer.stdout)
            if f"{found}.".startswith(f"{version}." if version else ""):
                return Interpreter(base, Path(prefix), found)
    return None
