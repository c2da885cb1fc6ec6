"""A command on this machine, watched from its start to its end."""

import os
import select
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from threading import Event

from . import Limits
from .limits import BLOCK, LastBytes, memory_message

INTERVAL = 0.1  # seconds between two looks at what a command uses
CALM = 20  # a look that took long is followed by a pause this many times as long
CHUNK = 2**16
CHUNKS = 16  # read before anything else is looked at
MAX_PROCESSES = 1000  # of one command at once
GRACE = 5.0  # seconds in which the processes of a command that was killed are gone

# What counts against the limit of memory. Pages of files can be read again.
_MEMORY = ("RssAnon:", "RssShmem:", "VmSwap:")
_SHARED_MEMORY = ("Pss_Anon:", "Pss_Shmem:", "SwapPss:")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its exit code, and why it was killed, blank if it was not."""

    code: int
    why: str = ""


def supervise(
    command: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    log: LastBytes,
    why_end: Callable[[int], str],
    stop: Event,
) -> Ended:
    """Run the command to its end, with all that it starts, and return how it ended.

    Args:
        command: its words.
        folder: where it works.
        environment: all of its variables.
        log: gets what it prints.
        why_end: is asked again and again, with the process's id; a text kills the command.
        stop: kills the command, too.
    """
    output, end = os.pipe()
    with FileIO(output) as printed:
        os.set_blocking(output, False)
        try:
            process = subprocess.Popen(  # noqa: S603 - it is what this is for
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=end,
                stderr=end,
                start_new_session=True,
            )
        finally:
            os.close(end)
        try:
            why = _watch(process.pid, printed, log, why_end, stop)
        finally:
            _kill(process.pid)  # what it has left running, too
            _read_to_end(printed, log, time.monotonic() + GRACE)
            code = process.wait()
        return Ended(code, why)


def _watch(
    pid: int, printed: FileIO, log: LastBytes, why_end: Callable[[int], str], stop: Event
) -> str:
    """Return when the process has ended, or why it must end, which may be blank."""
    ended = os.pidfd_open(pid)
    poll = select.poll()
    poll.register(ended, select.POLLIN)
    poll.register(printed, select.POLLIN)
    next_look = time.monotonic() + INTERVAL
    try:
        while True:
            ready = {fd for fd, _ in poll.poll(max(0, next_look - time.monotonic()) * 1000)}
            if ended in ready:
                return ""
            if printed.fileno() in ready and not _read(printed, log):
                poll.unregister(printed)  # closed; it may go on without
            if stop.is_set():
                return ""
            started = time.monotonic()
            if started >= next_look:
                if why := why_end(pid):
                    return why
                now = time.monotonic()
                next_look = now + max(INTERVAL, CALM * (now - started))
    finally:
        os.close(ended)


def _read(printed: FileIO, log: LastBytes) -> bool:
    """Add what was printed to the log, not too much at once; return False if that was all."""
    for _ in range(CHUNKS):
        chunk = printed.read(CHUNK)
        if not chunk:
            return chunk is None  # nothing now, or nothing ever
        log.add(chunk)
    return True


def _read_to_end(printed: FileIO, log: LastBytes, latest: float) -> None:
    """Read until all that may print are gone, or the time has come."""
    poll = select.poll()
    poll.register(printed, select.POLLIN)
    while poll.poll(max(0, latest - time.monotonic()) * 1000) and _read(printed, log):
        pass


def _kill(pid: int) -> None:
    """Kill the process and all that it has started.

    In a sandbox, the first of them takes all others with it, however many there are.
    """
    pids = list(processes(pid))
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    for each in pids:
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)


# --- What a command uses -------------------------------------------------------------------------


def processes(pid: int) -> Iterator[int]:
    """Yield the ids of the process and of all that it has started, and they."""
    waiting = [pid]
    while waiting:
        pid = waiting.pop()
        yield pid
        with suppress(OSError):  # it has ended meanwhile, here and below
            for thread in Path(f"/proc/{pid}/task").iterdir():
                waiting.extend(int(child) for child in (thread / "children").read_text().split())


def why_too_much(
    pids: Sequence[int],
    limits: Limits,
    what: str = "The function",
    less_memory: str = "Give it less data at once",
    fewer_processes: str = "Let it start fewer",
) -> str:
    """Return why all these processes have to end, or a blank text if they may go on.

    Args:
        what: their work, and then the advice to who lets it use too much.
    """
    if memory(pids, limits.memory) > limits.memory:
        return memory_message(limits, what, less_memory)
    if len(pids) > MAX_PROCESSES:
        return f"{what} started more than {MAX_PROCESSES} processes. {fewer_processes}."
    return ""


def memory(pids: Sequence[int], enough: int) -> int:
    """Return the bytes of memory that the processes use, exactly only if more than `enough`.

    What processes share after a fork counts once then, and for each of them before.
    """
    used = sum(_kilobytes(f"/proc/{pid}/status", _MEMORY) for pid in pids)
    if used > enough:
        used = sum(_kilobytes(f"/proc/{pid}/smaps_rollup", _SHARED_MEMORY) for pid in pids)
    return used


def _kilobytes(path: str, names: tuple[str, ...]) -> int:
    with suppress(OSError):
        lines = Path(path).read_text().splitlines()
        return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith(names))
    return 0


def deleted(pids: Sequence[int]) -> int:
    """Return the bytes of files that the processes have open and that have no name any more."""
    sizes = {}
    for pid in pids:
        with suppress(OSError):
            for fd in Path(f"/proc/{pid}/fd").iterdir():
                with suppress(OSError):
                    found = fd.stat()
                    if stat.S_ISREG(found.st_mode) and not found.st_nlink:
                        sizes[found.st_dev, found.st_ino] = found.st_blocks * BLOCK
    return sum(sizes.values())
