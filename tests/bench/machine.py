"""What processes use of the machine, by Linux's /proc."""

import os
import platform
import subprocess
import threading
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .builds import ROOT

_PROC = Path("/proc")
_TICK = 1 / os.sysconf("SC_CLK_TCK")


def about(seconds: float) -> dict[str, Any]:
    """Return what the machine is, and which commit a run measures."""
    with Path("/proc/meminfo").open() as memory:
        total = int(memory.readline().split()[1]) * 1024
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit.stdout.strip(),
        "cores": os.cpu_count(),
        "memory": total,
        "python": platform.python_version(),
        "seconds": seconds,
        # How busy the machine was before we began: others make every figure worse.
        "load": os.getloadavg()[0],
    }


def children_of(pid: int) -> list[int]:
    """Return the processes that a process has started and that live."""
    found: list[int] = []
    for path in (_PROC / str(pid) / "task").glob("*/children"):
        with suppress(OSError):
            found += map(int, path.read_text().split())
    return found


def cpu_seconds(pid: int) -> float:
    """Return how long all threads of a process have computed, to the microsecond.

    Threads that have ended are not counted.
    """
    total = 0
    for path in (_PROC / str(pid) / "task").glob("*/schedstat"):
        with suppress(OSError):
            total += int(path.read_text().split()[0])
    return total / 1e9


def _ended_children_seconds(pid: int) -> float:
    """Return how long those children of a process have computed that have ended, in ticks."""
    fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) * _TICK


class Meter:
    """Measures what children of a process compute from here on, those that end meanwhile too."""

    def __init__(self, parent: int | None) -> None:
        self._parent = parent
        self._before = self._now()

    def _now(self) -> tuple[dict[int, float], float]:
        if self._parent is None:
            return {}, 0.0
        living = {pid: cpu_seconds(pid) for pid in children_of(self._parent)}
        return living, _ended_children_seconds(self._parent)

    def seconds(self) -> float:
        """Return the seconds since the meter was made."""
        (before, ended_before), (now, ended) = self._before, self._now()
        living = sum(seconds - before.get(pid, 0.0) for pid, seconds in now.items())
        gone = sum(seconds for pid, seconds in before.items() if pid not in now)
        return living + max(0.0, ended - ended_before - gone)


def memory(pids: Iterable[int]) -> int:
    """Return how many bytes processes hold, what they share with others counted in part.

    Without files that are mapped, as SQLite's is: the system gives up those by itself.
    """
    total = 0
    for pid in pids:
        with suppress(OSError):
            for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines():
                if line.startswith(("Pss_Anon:", "Pss_Shmem:")):
                    total += int(line.split()[1]) * 1024
    return total


class MemoryPeak:
    """Watches the memory of processes while a block runs::

    with MemoryPeak(pids) as peak:
        ...
    peak.growth  # bytes above where it began
    """

    def __init__(self, pids: Iterable[int], every: float = 0.1) -> None:
        self._pids, self._every = list(pids), every
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.before = self.highest = self.after = 0

    @property
    def growth(self) -> int:
        return self.highest - self.before

    def _watch(self) -> None:
        while not self._ended.wait(self._every):
            self.highest = max(self.highest, memory(self._pids))

    def __enter__(self) -> "MemoryPeak":
        self.before = self.highest = memory(self._pids)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self.after = memory(self._pids)
        self.highest = max(self.highest, self.after)


def median(values: Iterable[float]) -> float:
    return quantile(values, 0.5)


def quantile(values: Iterable[float], share: float) -> float:
    """Return the value below which this share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
