"""A function as a drawing: its inputs on the left, its outputs on the right, lines between them.

Only places and texts are worked out here; `templates/functions/_drawing.html` draws them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ..common.kinds import AssetKind
from .specs import FunctionInputSpec, FunctionOutputSpec

Slot = FunctionInputSpec | FunctionOutputSpec

# In pixels; letters of the code font are about 7.3 wide.
BOX_WIDTH, BOX_HEIGHT = 164, 44
GAP, REACH = 12, 44
MARGIN = 6
MAX_LETTERS = 18
# Enough to see what it is like; the table beside the drawing has all.
MAX_BOXES = 12


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

    @property
    def middle(self) -> int:
        return self.y + BOX_HEIGHT // 2


@dataclass(frozen=True, slots=True)
class Drawing:
    """All boxes of a function, the function's own first."""

    width: int
    height: int
    title: str
    boxes: list[Box]

    box_width = BOX_WIDTH
    box_height = BOX_HEIGHT
    center = BOX_WIDTH // 2


def cut(text: str, letters: int = MAX_LETTERS) -> str:
    """Return a text that fits into a box."""
    return text if len(text) <= letters else f"{text[: letters - 1]}…"


def draw(name: str, inputs: Sequence[Slot], outputs: Sequence[Slot]) -> Drawing:
    """Return the drawing of a function."""
    rows = max(1, *(min(len(slots), MAX_BOXES + 1) for slots in (inputs, outputs)))
    height = rows * (BOX_HEIGHT + GAP) - GAP + 2 * MARGIN
    step = BOX_WIDTH + REACH
    own = Box(MARGIN + step, (height - BOX_HEIGHT) // 2, name, cut(name), "function", "function")
    boxes = [own, *_column(own, inputs, height, -step), *_column(own, outputs, height, step)]
    takes, makes = (
        ", ".join(slot.identifier for slot in slots) or "nothing" for slots in (inputs, outputs)
    )
    title = f"{name} takes {cut(takes, 200)} and makes {cut(makes, 200)}."
    return Drawing(2 * MARGIN + 2 * step + BOX_WIDTH, height, title, boxes)


def _column(own: Box, slots: Sequence[Slot], height: int, aside: int) -> list[Box]:
    shown = slots if len(slots) <= MAX_BOXES + 1 else slots[:MAX_BOXES]
    count = len(shown) + (len(shown) < len(slots))
    top = (height - count * (BOX_HEIGHT + GAP) + GAP) // 2
    found = []
    for place in range(count):
        x, y = own.x + aside, top + place * (BOX_HEIGHT + GAP)
        line = _line(own, y + BOX_HEIGHT // 2, aside)
        if place < len(shown):
            found.append(_box(shown[place], x, y, line))
        else:
            text = f"and {len(slots) - len(shown):,} more"
            found.append(Box(x, y, text, text, "see the table", "more", line=line))
    return found


def _box(slot: Slot, x: int, y: int, line: str) -> Box:
    kind = AssetKind(slot.kind).label
    optional = getattr(slot, "optional", False)
    notes = [f"{kind}s" if slot.multiple else kind, *(["optional"] if optional else [])]
    note = ", ".join(notes)
    return Box(
        x,
        y,
        f"{slot.identifier}: {note}",
        cut(slot.identifier),
        note,
        kind.replace(" ", "-"),
        slot.multiple,
        optional,
        line,
    )


def _line(own: Box, height: int, aside: int) -> str:
    """Return the path from an input to the function, or from it to an output."""
    if aside < 0:
        start, end = (own.x - REACH, height), (own.x, own.middle)
    else:
        start, end = (own.x + BOX_WIDTH, own.middle), (own.x + aside, height)
    half = (start[0] + end[0]) // 2
    return f"M{start[0]} {start[1]}C{half} {start[1]} {half} {end[1]} {end[0]} {end[1]}"
