"""The lines that users feel as one table, as wide as a terminal."""

from collections.abc import Iterator, Sequence
from typing import Any

from .goals import AT_LEAST, AT_MOST, goal_of

HEAD = ("what", "unit", "BASE", "now", "times", "goal", "CPU", "goal", "peer", "now")
# The figure of a line that the table shows, the best first, and its unit.
SHOWN = {
    "per_second": "requests/s",
    "rate": "assets/s",
    "p50_ms": "ms",
    "seconds": "s",
    "mib": "MiB",
}


def rows(lines: Sequence[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    """Yield a row a line.

    *Times* is what is now divided by BASE, *CPU* the same of the computing for one request. The
    last two columns are the speed of BASE and of now as a multiple of the reference server's.
    """
    for line in lines:
        figure = next(name for name in SHOWN if name in line)
        base, now = line[figure]
        goal, is_rate = goal_of(line["name"]), figure in ("per_second", "rate")
        most, least = (goals.get(line["name"], now) for goals in (AT_MOST, AT_LEAST))
        times = now / base
        faster = times if is_rate else 1 / times
        cpu = line["cpu_ms"][1] / line["cpu_ms"][0] if "cpu_ms" in line else None
        yield (
            *(line["name"], SHOWN[figure], _short(base)),
            _short(now) if least <= now <= most else f"{_short(now)} ✗",
            *_judged(times, goal.times, more=is_rate),
            *(_judged(cpu, goal.cpu) if cpu is not None else ("", "")),
            f"{goal.peer:.1f}" if goal.peer else "",
            f"{goal.peer * faster:.1f}" if goal.peer else "",
        )


def _judged(value: float, goal: float | None, *, more: bool = False) -> tuple[str, str]:
    if goal is None:
        return f"{value:.2f}", ""
    met = value >= goal if more else value <= goal
    return f"{value:.2f}{'' if met else ' ✗'}", f"{'≥' if more else '≤'} {goal:g}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
