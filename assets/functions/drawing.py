"""A function as a drawing: its inputs on the left, its outputs on the right, lines between them.

Only places and texts are worked out here; `templates/functions/_drawing.html` draws them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ..common.kinds import AssetKind
from ..common.text.reading import cut
from .specs import FunctionInputSpec, FunctionOutputSpec

Slot = FunctionInputSpec | FunctionOutputSpec

# In pixels.
BOX_HEIGHT, GAP, MARGIN = 44, 12, 6
# Enough to see what it is like; the table beside the drawing has all.
MAX_BOXES = 12


@dataclass(frozen=True, slots=True)
class Measures:
    """How wide boxes and the space between them are, and how many letters a box has room for."""

    looks: str
    box_width: int
    reach: int
    letters: int


WIDE = Measures("wide", 164, 44, 18)
# For telephones, whose letters shall be as large as elsewhere.
NARROW = Measures("narrow", 104, 14, 11)


@dataclass(frozen=True, slots=True)
class Box:
    """One input or output, or the function itself, and the line that joins the two."""

    x: int
    y: int
    title: str
    text: str
    note: str
    looks: str
    multiple: bool = False
    optional: bool = False
    line: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """All boxes of a function, the function's own first."""

    measures: Measures
    height: int
    title: str
    boxes: list[Box]

    box_height = BOX_HEIGHT

    @property
    def width(self) -> int:
        return 3 * self.measures.box_width + 2 * self.measures.reach + 2 * MARGIN

    @property
    def center(self) -> int:
        return self.measures.box_width // 2


def draw(
    name: str, inputs: Sequence[Slot], outputs: Sequence[Slot], measures: Measures = WIDE
) -> Drawing:
    """Return the drawing of a function."""
    rows = max(1, *(min(len(slots), MAX_BOXES + 1) for slots in (inputs, outputs)))
    height = rows * (BOX_HEIGHT + GAP) - GAP + 2 * MARGIN
    step = measures.box_width + measures.reach
    middle = (height - BOX_HEIGHT) // 2
    # Its name is set in a narrower type than identifiers are.
    text = cut(name, measures.letters + measures.letters // 5)
    boxes = [
        Box(MARGIN + step, middle, name, text, "function", "function"),
        *_column(MARGIN, inputs, height, measures),
        *_column(MARGIN + 2 * step, outputs, height, measures),
    ]
    takes, makes = (
        cut(", ".join(slot.identifier for slot in slots) or "nothing", 200)
        for slots in (inputs, outputs)
    )
    return Drawing(measures, height, f"{name} takes {takes} and makes {makes}.", boxes)


def _column(x: int, slots: Sequence[Slot], height: int, measures: Measures) -> list[Box]:
    """Return the boxes of a list, one below the other, in the middle of the height."""
    shown = slots if len(slots) <= MAX_BOXES + 1 else slots[:MAX_BOXES]
    count = len(shown) + (len(shown) < len(slots))
    top = (height - count * (BOX_HEIGHT + GAP) + GAP) // 2
    found = []
    for place in range(count):
        y = top + place * (BOX_HEIGHT + GAP)
        line = _line(x, y + BOX_HEIGHT // 2, height // 2, measures)
        if place < len(shown):
            found.append(_box(shown[place], x, y, line, measures))
        else:
            text = f"{len(slots) - len(shown):,} more"
            found.append(
                Box(x, y, f"{text}: see the table", text, "in the table", "more", line=line)
            )
    return found


def _box(slot: Slot, x: int, y: int, line: str, measures: Measures) -> Box:
    kind = AssetKind(slot.kind).label
    optional = isinstance(slot, FunctionInputSpec) and slot.optional
    kinds = f"{kind}s" if slot.multiple else kind
    note = f"{kinds}, optional" if optional else kinds
    text = cut(slot.identifier, measures.letters)
    # Where there is no room for it, a dashed outline says so alone.
    shown = note if measures.letters >= WIDE.letters else kinds
    looks = kind.replace(" ", "-")
    title = f"{slot.identifier}: {note}"
    return Box(x, y, title, text, shown, looks, slot.multiple, optional, line)


def _line(x: int, y: int, middle: int, measures: Measures) -> str:
    """Return the path from an input to the function, or from it to an output."""
    own = MARGIN + measures.box_width + measures.reach
    if x < own:
        start, end = (own - measures.reach, y), (own, middle)
    else:
        start, end = (own + measures.box_width, middle), (x, y)
    half = (start[0] + end[0]) // 2
    return f"M{start[0]} {start[1]}C{half} {start[1]} {half} {end[1]} {end[0]} {end[1]}"
