"""Engines: each takes the folder of a job and answers how it went.

Nothing here reports to the server. An engine is used by several threads at once. Each engine's
module has a function `create`, and is imported only if a runner uses it.
"""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from threading import Event
from typing import Protocol

from ..dockerfile import Entry

BUILD_ERROR = "BUILD_ERROR"
EXECUTION_ERROR = "EXECUTION_ERROR"
INTERNAL_ERROR = "INTERNAL_ERROR"


class EngineError(Exception):
    """The engine cannot work on this machine, or no longer; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one job may use.

    Attributes:
        seconds: from its start to its end.
        memory: bytes, of all its processes.
        output_bytes: bytes that it may write, outputs and everything else.
        log_bytes: the bytes of its log that are kept: the last ones.
    """

    seconds: float
    memory: int
    output_bytes: int
    log_bytes: int = 2**20


@dataclass(frozen=True, slots=True)
class JobFolder:
    """What a function runs in. Paths are absolute, and the function sees them as they are.

    Attributes:
        path: the folder with ``function/`` (the unpacked archive, to read), ``outputs/`` and
            ``work/`` (to write; ``work/`` is the working folder, HOME and TMPDIR) and the file
            ``arguments``, one argument per line, which the entry gets as ``@FILE``.
        readable: further paths that the function may read: files and folders of inputs.
        entry: what to run.
    """

    path: Path
    readable: tuple[Path, ...]
    entry: Entry

    @property
    def function(self) -> Path:
        return self.path / "function"

    @property
    def outputs(self) -> Path:
        return self.path / "outputs"

    @property
    def work(self) -> Path:
        return self.path / "work"

    @property
    def arguments(self) -> Path:
        return self.path / "arguments"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a build or a run ended.

    Attributes:
        error_type: blank if it went well, otherwise one of the three types of errors.
        logs: the end of what it printed, followed by the cause if the engine ended it.
    """

    error_type: str = ""
    logs: bytes = b""


class Engine(Protocol):
    """How functions run. `stop` is set when the work is no longer wanted: end it and return.

    Trouble with one job is an outcome. `EngineError` means that no job can run any more, such as
    when a daemon does not answer.
    """

    name: str

    def check(self) -> None:
        """Return if the engine can work here. Raises: EngineError if not."""

    def build(self, function: Path, digest: str, limits: Limits, stop: Event) -> Outcome:
        """Make what the unpacked function needs, such as an image, and keep it by `digest`.

        Raises:
            EngineError: no job can run any more.
        """

    def run(self, folder: JobFolder, digest: str, limits: Limits, stop: Event) -> Outcome:
        """Run a job; `digest` is that of the function's archive. Build first if necessary.

        Raises:
            EngineError: no job can run any more.
        """

    def close(self) -> None:
        """Let go of what the engine holds, such as connections."""


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What the options of the program say to an engine.

    Attributes:
        folder: the engine's own, where it may keep what it builds; it exists.
        cache_size: the bytes that it may keep.
        trust_functions: whether functions may run without a sandbox.
        docker_host: where Docker or Podman listens; blank for the usual places.
        scheduler: the address of Dask's scheduler.
        worker_engine: the engine that Dask's workers use.
    """

    folder: Path
    cache_size: int
    trust_functions: bool = False
    docker_host: str = ""
    scheduler: str = ""
    worker_engine: str = "process"


NAMES = ("process", "container", "dask")


def create_engine(name: str, options: EngineOptions) -> Engine:
    """Return the engine of that name. Raises: EngineError if it cannot work on this machine."""
    engine: Engine = import_module(f"{__name__}.{name}").create(options)
    engine.check()
    return engine
