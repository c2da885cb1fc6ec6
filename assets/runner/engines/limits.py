"""What limits say and measure, the same for every engine."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from . import Limits

BLOCK = 512  # the unit of `st_blocks`, whatever the file system
HIDDEN = 2**62  # bytes, more than there are: what no one can see counts as that
ENTRY = 256  # bytes that a file takes at least, so that empty ones cannot fill a disk unseen


class LastBytes:
    """The last bytes of a stream of any length, in little memory."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._end = bytearray()

    def add(self, chunk: bytes) -> None:
        """Append the chunk. What is no longer among the last bytes goes, now and then."""
        self._end += chunk[-self._size :]
        if len(self._end) > 2 * self._size:
            del self._end[: -self._size]

    def value(self, ending: str = "") -> bytes:
        """Return the last bytes, with `ending` on a line of its own after them."""
        text = bytes(self._end)
        if ending:
            text += (b"" if not text or text.endswith(b"\n") else b"\n") + ending.encode() + b"\n"
        return text[-self._size :]


def exceeded(folder: Path, limits: Limits, started: float, elsewhere: int = 0) -> str:
    """Return why a job in `folder` has to end, or a blank text if it may go on.

    Args:
        folder: that of the job; what it wrote is below ``work/`` and ``outputs/``.
        limits: those of the job.
        started: when it started, on the clock of `time.monotonic`.
        elsewhere: bytes that it wrote and that are not in the folder any more.
    """
    if time.monotonic() - started > limits.seconds:
        return time_message(limits)
    size = elsewhere + written(folder / "work", folder / "outputs")
    if size >= HIDDEN:
        return (
            "The function made a folder that cannot be looked into, so no one sees how much it "
            "writes. Let its owner read it, and nest folders less deeply."
        )
    if size > limits.output_bytes:
        return (
            f"The function wrote more than {size_text(limits.output_bytes)}. Let it write less, "
            "or start the runner with a higher --output-limit."
        )
    return ""


def written(*folders: Path) -> int:
    """Return the bytes that the folders take on the disk; links are not followed.

    At least `HIDDEN` if that cannot be seen: a folder is closed, or its path is too long.
    """
    total = 0
    waiting = [str(folder) for folder in folders]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    with suppress(FileNotFoundError):  # the function removed it meanwhile
                        total += max(entry.stat(follow_symlinks=False).st_blocks * BLOCK, ENTRY)
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(entry.path)
        except (FileNotFoundError, NotADirectoryError):
            continue  # this, too
        except OSError:
            return HIDDEN
    return total


def time_message(limits: Limits, what: str = "The function") -> str:
    """Return the message for work that took too long."""
    return (
        f"{what} ran for more than {limits.seconds:g} seconds. Give it less to do, or start the "
        "runner with a higher --time-limit."
    )


def memory_message(
    limits: Limits, what: str = "The function", advice: str = "Give it less data at once"
) -> str:
    """Return the message for work that used too much memory."""
    return (
        f"{what} used more than {size_text(limits.memory)} of memory. {advice}, or start the "
        "runner with a higher --memory-limit."
    )


def exit_message(code: int) -> str:
    """Return the message for an exit code, or blank for 0. Below 0 and above 128, it is a signal.

    A function that raises has left its traceback above this line.
    """
    if not code:
        return ""
    number = -code if code < 0 else code - 128
    try:
        name = signal.Signals(number).name
    except ValueError:
        return f"The function ended with the exit code {code}."
    # A kernel out of memory kills what has the most.
    advice = " Perhaps the machine had no memory left: let it run fewer jobs at once."
    return f"The function was ended by the signal {name}.{advice if name == 'SIGKILL' else ''}"


def size_text(size: int) -> str:
    """Return the size as people read it: ``2 GiB``, ``1.5 MiB``."""
    value = float(size)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.4g} {unit}"
        value /= 1024
    return f"{value:.4g} TiB"
