"""A chart of numbers as SVG: a line for each series, linear or logarithmic.

It knows plain values only. The same numbers always give the same chart.
"""

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import NamedTuple

from django.utils.safestring import SafeString, mark_safe

WIDTH, HEIGHT = 720, 280
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 14, 40
# About how many marks an axis has.
MARKS = 6
RADIUS = 4


class Point(NamedTuple):
    """A number, at `x`; its title is shown when one points at it."""

    x: float
    y: float
    url: str = ""
    title: str = ""


class Series(NamedTuple):
    """Points that a line joins; `colour` is a number of the style sheet's worker colours."""

    name: str
    colour: int
    points: Sequence[Point]


class Axis(NamedTuple):
    """Where numbers are on an axis, between two places, and which of them are marked."""

    low: float
    high: float
    start: float
    end: float
    marks: Sequence[float]
    is_logarithmic: bool = False

    def place(self, value: float) -> float:
        """Return where a number is, in the units of the drawing."""
        of = math.log10 if self.is_logarithmic else float
        share = (of(value) - of(self.low)) / (of(self.high) - of(self.low))
        return round(self.start + share * (self.end - self.start), 1)


def may_be_logarithmic(values: Sequence[float]) -> bool:
    """Return whether a logarithmic axis can show all of these numbers."""
    return bool(values) and min(values) > 0


def draw_chart(series: Sequence[Series], x_label: str, *, logarithmic: bool = False) -> SafeString:
    """Return the inside of an SVG of `WIDTH` and `HEIGHT`; blank if there are no points.

    Args:
        logarithmic: whether the vertical axis is, if all numbers are above zero.
    """
    points = [point for one in series for point in one.points]
    if not points:
        return mark_safe("")
    numbers = [point.y for point in points]
    x = _whole_axis([point.x for point in points])
    y = _axis(numbers, logarithmic=logarithmic and may_be_logarithmic(numbers))
    parts = [*_marks(x, y), _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, x_label, "middle")]
    for one in series:
        parts += _series(one, x, y)
    return mark_safe("".join(parts))  # noqa: S308  texts were escaped; the rest is numbers


def _whole_axis(values: Sequence[float]) -> Axis:
    low, high = math.floor(min(values)), math.ceil(max(values))
    if low == high:
        low, high = low - 1, high + 1
    step = max(1, round(_step(high - low)))
    marks = [value for value in range(low, high + 1) if value % step == 0]
    return Axis(low, high, LEFT + 10, WIDTH - RIGHT - 10, marks)


def _axis(values: Sequence[float], *, logarithmic: bool) -> Axis:
    low, high = min(values), max(values)
    between = (HEIGHT - BOTTOM, TOP)
    if logarithmic and high >= 10 * low:
        first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
        powers = range(first, last + 1)
        marks = [10.0**power for power in powers[:: -(-len(powers) // MARKS)]]
        return Axis(10.0**first, 10.0**last, *between, marks, True)
    if low == high:
        spread = abs(low) or 1.0
        low, high = low - spread / 2, high + spread / 2
    step = _step(high - low)
    marks = [number * step for number in range(math.floor(low / step), math.ceil(high / step) + 1)]
    return Axis(marks[0], marks[-1], *between, marks, logarithmic and marks[0] > 0)


def _step(span: float) -> float:
    """Return a round distance between marks: one, two or five times a power of ten."""
    rough = span / MARKS
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)


def _marks(x: Axis, y: Axis) -> Iterator[str]:
    yield '<g class="chart-grid" aria-hidden="true">'
    for value in y.marks:
        at = y.place(value)
        yield f'<path d="M{LEFT} {at}H{WIDTH - RIGHT}"/>'
        yield _text(LEFT - 8, at + 4, _short(value), "end")
    for value in x.marks:
        at = x.place(value)
        yield _text(at, HEIGHT - BOTTOM + 18, _short(value), "middle")
    yield "</g>"


def _series(one: Series, x: Axis, y: Axis) -> Iterator[str]:
    places = [(x.place(point.x), y.place(point.y)) for point in one.points]
    line = " ".join(f"{across},{down}" for across, down in places)
    yield f'<polyline class="chart-line worker-{one.colour}" points="{line}"/>'
    for point, (across, down) in zip(one.points, places, strict=True):
        dot = (
            f'<circle class="chart-point worker-{one.colour}" cx="{across}" cy="{down}" '
            f'r="{RADIUS}"><title>{escape(point.title)}</title></circle>'
        )
        # The table has the same links for the keyboard.
        yield f'<a href="{escape(point.url)}" tabindex="-1">{dot}</a>' if point.url else dot


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(text)}</text>'


def _short(value: float) -> str:
    return f"{value:.6g}" if value else "0"
