"""The process engine: a function runs as a process of this machine, in a sandbox."""

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from ..dockerfile import BuildError, read_entry
from ..stopping import Stopped
from . import (
    BUILD_ERROR,
    EXECUTION_ERROR,
    INTERNAL_ERROR,
    EngineError,
    EngineOptions,
    JobFolder,
    Limits,
    Outcome,
)
from .environments import Environment, Environments, check_interpreter
from .limits import LastBytes, exceeded, exit_message
from .sandbox import PROGRAM, check_sandbox, sandboxed
from .supervision import MAX_PROCESSES, deleted, processes, supervise, why_too_much

PRLIMIT = "prlimit"


def create(options: EngineOptions) -> "ProcessEngine":
    """Return the engine that these options describe."""
    return ProcessEngine(options)


class ProcessEngine:
    """Runs functions as processes, each in the environment that its Dockerfile asks for."""

    name = "process"

    def __init__(self, options: EngineOptions) -> None:
        self._options = options
        self._sandbox = True
        self._environments = Environments(options.folder, options.cache_size, sandbox=True)

    def check(self) -> None:
        """Find out whether there is a sandbox. Raises: EngineError if the engine cannot work."""
        if sys.platform != "linux" or not shutil.which(PRLIMIT):
            raise EngineError(
                "The process engine needs Linux with the program prlimit. Install the package "
                "util-linux, or choose --engine container."
            )
        check_interpreter()
        try:
            check_sandbox()
        except EngineError:
            if not self._options.trust_functions:
                raise
            self._sandbox = False
            self._environments = Environments(
                self._options.folder, self._options.cache_size, sandbox=False
            )

    def build(self, function: Path, digest: str, limits: Limits, stop: Event) -> Outcome:
        """Make the function's environment, unless there is one with the same packages."""
        with _outcomes() as outcome:
            entry = read_entry(function)
            with self._environments.environment(function, digest, entry, limits, stop):
                outcome.append(Outcome())
        return outcome[0]

    def run(self, folder: JobFolder, digest: str, limits: Limits, stop: Event) -> Outcome:
        """Run a job in its function's environment."""
        with (
            _outcomes() as outcome,
            self._environments.environment(
                folder.function, digest, folder.entry, limits, stop
            ) as environment,
        ):
            outcome.append(self._run(folder, environment, limits, stop))
        return outcome[0]

    def close(self) -> None:
        """Do nothing: the engine holds nothing between jobs."""

    def _run(
        self, folder: JobFolder, environment: Environment, limits: Limits, stop: Event
    ) -> Outcome:
        # An image has the archive's files in the working folder.
        for path in folder.function.iterdir():
            (folder.work / path.name).symlink_to(path)
        log, watch = LastBytes(limits.log_bytes), _Watch(folder, limits)
        ended = supervise(
            self._command(folder, environment, limits),
            folder=folder.work,
            environment=_variables(folder, environment),
            log=log,
            why_end=watch,
            stop=stop,
        )
        # A single file that grows too long makes the function fail before anyone looks.
        why = ended.why or (watch.what_is_left() if ended.code else "")
        logs = log.value(why or exit_message(ended.code))
        if ended.code == 1 and logs.startswith(f"{PROGRAM}: ".encode()):
            return Outcome(INTERNAL_ERROR, logs)  # the function has not started
        return Outcome(EXECUTION_ERROR if ended.code or ended.why else "", logs)

    def _command(self, folder: JobFolder, environment: Environment, limits: Limits) -> list[str]:
        """Return the command line of a job."""
        command = [
            *_limited(limits, sandbox=self._sandbox),
            str(environment.python),
            *folder.entry.options,
            str(folder.function / folder.entry.script),
            f"@{folder.arguments}",
        ]
        if not self._sandbox:
            return command
        stage = folder.path / "stage"
        stage.mkdir(exist_ok=True)  # it is there if a cluster starts the job again
        return sandboxed(
            command,
            stage=stage,
            work=folder.work,
            readable=(*environment.readable, folder.path, *folder.readable),
            writable=(folder.outputs, folder.work),
            memory=limits.memory,
        )


class _Watch:
    """Says why a job must end, when it is asked."""

    def __init__(self, folder: JobFolder, limits: Limits) -> None:
        self._folder = folder
        self._limits = limits
        self._started = time.monotonic()

    def __call__(self, pid: int) -> str:
        pids = list(processes(pid))
        return why_too_much(pids, self._limits) or exceeded(
            self._folder.path, self._limits, self._started, deleted(pids)
        )

    def what_is_left(self) -> str:
        """Return which limit a job has exceeded that has ended, or a blank text."""
        return exceeded(self._folder.path, self._limits, self._started)


@contextmanager
def _outcomes() -> Iterator[list[Outcome]]:
    """Give a list for an outcome; what is raised becomes one."""
    outcomes: list[Outcome] = []
    try:
        yield outcomes
    except BuildError as error:
        outcomes.append(Outcome(BUILD_ERROR, str(error).encode()))
    except Stopped:
        outcomes.append(Outcome(INTERNAL_ERROR))
    except (EngineError, OSError) as error:
        outcomes.append(Outcome(INTERNAL_ERROR, str(error).encode()))


def _limited(limits: Limits, *, sandbox: bool) -> list[str]:
    """Return the words before a command that limit each of its processes, as the kernel can.

    They hold what a function can take between two looks, or that looks cannot see.
    """
    words = [PRLIMIT, "--core=0", f"--fsize={limits.output_bytes + 1}"]
    # What a process reserves, which is more than it uses: each thread's stack, for example.
    words.append(f"--data={2 * limits.memory + 2**30}")
    if sandbox:  # outside of one, all processes of the user count
        words.append(f"--nproc={4 * MAX_PROCESSES}")
    return [*words, "--"]


def _variables(folder: JobFolder, environment: Environment) -> dict[str, str]:
    work = str(folder.work)
    return {
        "PATH": f"{environment.path / 'bin'}:/usr/bin:/bin",
        "HOME": work,
        "TMPDIR": work,
        "USER": "function",
        "LOGNAME": "function",
        "LANG": "C.UTF-8",
        # What was printed before a function is killed is in its log.
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
