"""Bars that show the shares of a whole."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django.db.models import TextChoices

from ..text.durations import short_duration

# The width of a bar, and of its smallest piece, in units of their own.
BAR_WIDTH, MIN_WIDTH = 1000, 10


def places(sizes: Sequence[float]) -> list[tuple[int, int]]:
    """Return where each piece of a bar begins, and how wide it is; even the smallest is visible."""
    total = sum(sizes) or 1
    widths = [max(MIN_WIDTH, size * BAR_WIDTH / total) for size in sizes]
    scale, before, found = BAR_WIDTH / (sum(widths) or 1), 0.0, []
    for width in widths:
        x, end = round(before), round(before + width * scale)
        found.append((x, end - x))
        before += width * scale
    return found


class Step(NamedTuple):
    """One step of some work: its piece of the bar, and how long it took."""

    label: str
    # The number of its colour.
    number: int
    x: int
    width: int
    duration: str
    percent: int


def steps_bar(steps: type[TextChoices], took: Mapping[str, int]) -> list[Step]:
    """Return the pieces of a bar of steps, given how many microseconds each took."""
    total = sum(took.values()) or 1
    pieces = zip(took.items(), places(list(took.values())), strict=True)
    return [
        Step(str(steps(step).label), number, x, width, short_duration(time), _percent(time, total))
        for number, ((step, time), (x, width)) in enumerate(pieces)
    ]


def _percent(part: int, whole: int) -> int:
    return round(100 * part / whole)
