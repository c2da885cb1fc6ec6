"""Puts the program together from its options, and ends it on signals."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from types import FrameType
from typing import Any

from .cache import Cache
from .client import Claim, Client
from .connection import Connection, Say
from .engines import Engine, EngineOptions, Limits, create_engine
from .program import Program
from .samples import DataRoot
from .scratch import scratch
from .work import Worker

_CACHE = "cache"


def start(options: dict[str, Any], version: str, say: Say, engine: Engine | None = None) -> None:
    """Run the program until it is stopped, with an engine of its own if one is given.

    Raises:
        EngineError: the engine cannot work on this machine.
        ValueError: the server's address is none, or the folder has other files.
        OSError: the folder cannot be written.
        TokenRefused, Refusal: the server refuses the runner.
    """
    connection = Connection(options["server"], options["token"], say)
    if not connection.is_private:
        say("The connection is not encrypted: others can read the token and models. Use https.")
    folder = options["folder"].expanduser().resolve()
    _make_private(folder)
    engine = engine or create_engine(options["engine"], _engine_options(options, folder))
    limits = Limits(options["time_limit"], options["memory_limit"], options["output_limit"])
    client, cache = Client(connection), Cache(folder / _CACHE, options["cache_size"])
    data_root = DataRoot(options["data_root"])
    claim: Claim = {
        "jobs": options["jobs"],
        "version": version,
        "engine": engine.name,
        "data_root": data_root.path is not None,
    }
    try:
        with scratch(folder / "jobs") as jobs:
            worker = Worker(client, engine, cache, data_root, limits, jobs)
            program = Program(
                client, worker, claim, say, grace=options["grace"], once=options["once"]
            )
            with _stopped_by_signals(program):
                say(f"Working for {connection.server} by the engine {engine.name}, {version}")
                program.run()
    finally:
        engine.close()


def _make_private(folder: Path) -> None:
    """Make the folder for this user only; functions that run as others see what is below it.

    Raises:
        ValueError: it has other files, whose users would lose sight of them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()) and not (folder / _CACHE).is_dir():
        raise ValueError(f"{folder} has other files. Choose a folder for the runner by --folder.")
    # First of all, so that another runner that starts now takes the folder for what it is.
    (folder / _CACHE).mkdir(exist_ok=True)
    folder.chmod(0o700)
    os.umask(0o022)


def _engine_options(options: dict[str, Any], folder: Path) -> EngineOptions:
    own = folder / "engines" / options["engine"]
    own.mkdir(parents=True, exist_ok=True)
    return EngineOptions(
        folder=own,
        cache_size=options["cache_size"],
        trust_functions=options["trust_functions"],
        docker_host=options["docker_host"],
        scheduler=options["dask"],
        worker_engine=options["dask_engine"],
    )


@contextmanager
def _stopped_by_signals(program: Program) -> Iterator[None]:
    """Stop the program on SIGTERM and SIGINT in the block; end it at once on a second SIGINT.

    A terminal sends Ctrl-C to a group of processes, of which one may send SIGTERM to the others.
    A handler interrupts the main thread anywhere, also where it holds a lock that stopping takes.
    So handlers take none, and a thread that reads the signals from a pipe stops the program.
    """

    def pass_on(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def watch() -> None:
        while os.read(reading, 1):
            program.stop()
        os.close(reading)

    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    Thread(target=watch, daemon=True).start()
    fd_before = signal.set_wakeup_fd(writing)
    before = {each: signal.signal(each, pass_on) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        signal.set_wakeup_fd(fd_before)
        os.close(writing)
