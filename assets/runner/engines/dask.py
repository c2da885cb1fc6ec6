"""Functions on the workers of a Dask cluster, in processes or containers there.

Runner and workers share the disk that has the runner's folder, at the same path. Whatever happens
to a worker or to the network, one try of a job at most goes on, and only the runner reports.
"""

import pickle
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, wait
from functools import cache
from pathlib import Path
from threading import Event
from typing import Any

from distributed import Client

from . import (
    INTERNAL_ERROR,
    Engine,
    EngineError,
    EngineOptions,
    JobFolder,
    Limits,
    Outcome,
    create_engine,
)
from .turns import Turn, remove_left, taken

connect: Any = Client  # distributed states few types
CONNECT_SECONDS = 30
PAUSE = 0.1  # seconds between two looks at whether a job is still wanted
TOUCH_SECONDS = 5.0
PATIENCE = 10.0  # seconds that a worker has to end a job that is no longer wanted


def create(options: EngineOptions) -> "DaskEngine":
    """Return the engine with these options."""
    return DaskEngine(options)


class DaskEngine:
    """Sends each job to the cluster, and waits for its outcome."""

    name = "dask"

    def __init__(self, options: EngineOptions) -> None:
        self._options = options
        self._turns = options.folder / "turns"
        self._client: Any = None

    def check(self) -> None:
        """Connect to the scheduler, and check the engine of every worker. Raises: EngineError."""
        address = self._options.scheduler
        if not address:
            raise EngineError(
                "The dask engine needs a cluster. Name its scheduler: --dask tcp://HOST:8786."
            )
        remove_left(self._turns)
        try:
            self._client = connect(address, timeout=CONNECT_SECONDS, set_as_default=False)
            self._client.run(_engine, self._options)
        except EngineError as error:
            self.close()
            raise EngineError(f"A worker of the cluster cannot run functions. {error}") from error
        except Exception as error:
            self.close()
            raise EngineError(
                f"The cluster at {address} cannot be used: {error}. Start its scheduler, and its "
                "workers with this package and the runner's folder."
            ) from error

    def build(self, function: Path, digest: str, limits: Limits, stop: Event) -> Outcome:
        """Let a worker make what the function needs. The process engines of all share it."""
        return self._send(function, digest, limits, stop)

    def run(self, folder: JobFolder, digest: str, limits: Limits, stop: Event) -> Outcome:
        """Let a worker run the job, and another one if that is lost."""
        return self._send(folder, digest, limits, stop)

    def close(self) -> None:
        """Leave the cluster."""
        if self._client:
            self._client.close()

    def _send(self, what: JobFolder | Path, digest: str, limits: Limits, stop: Event) -> Outcome:
        """Return the outcome of a job, or of a build of the function at a path.

        Raises:
            EngineError: the scheduler was lost, or a worker cannot run any function.
        """
        turn = Turn(self._turns)
        work = _by_value(_work, self._options, turn.path, what, digest, limits)
        future = self._client.get_executor(pure=False).submit(work, key=f"registrar-{turn.name}")
        touched = time.monotonic()
        try:
            while not wait([future], PAUSE).done and not stop.is_set():
                if time.monotonic() - touched > TOUCH_SECONDS:
                    turn.touch()
                    touched = time.monotonic()
            return Outcome(INTERNAL_ERROR) if stop.is_set() else future.result()
        except CancelledError as error:
            raise EngineError(
                f"The cluster's scheduler at {self._options.scheduler} was lost."
            ) from error
        except (EngineError, ImportError) as error:
            raise EngineError(f"A worker of the cluster cannot run functions. {error}") from error
        except Exception as error:  # noqa: BLE001  # such as KilledWorker: the job lost too many
            text = f"The job failed on the cluster: {type(error).__name__}: {error}\n"
            return Outcome(INTERNAL_ERROR, text.encode())
        finally:
            if turn.end():
                wait([future], PATIENCE)
            future.cancel()


def _by_value(function: Callable[..., Outcome], *arguments: object) -> Callable[[], Outcome]:
    """Return a function that calls `function`, for schedulers that do not have this package.

    They read what passes through them, and only local functions travel with their code.
    """
    content = pickle.dumps((function, arguments))

    def call() -> Any:  # types would travel, too
        import pickle

        function, arguments = pickle.loads(content)  # noqa: S301  # from above
        return function(*arguments)

    return call


def _work(
    options: EngineOptions, turn: Path, what: JobFolder | Path, digest: str, limits: Limits
) -> Outcome:
    """Return the outcome of a job or a build, on a worker."""
    folder = what if isinstance(what, JobFolder) else None
    with taken(turn, folder) as stop:
        if not stop.is_set():
            engine = _engine(options)
            if isinstance(what, JobFolder):
                outcome = engine.run(what, digest, limits, stop)
            else:
                outcome = engine.build(what, digest, limits, stop)
        if stop.is_set():
            return Outcome(INTERNAL_ERROR, b"The job went to another worker, or its runner left.\n")
        return outcome


@cache
def _engine(options: EngineOptions) -> Engine:
    """Return the engine of this worker."""
    return create_engine(options.worker_engine, options)
