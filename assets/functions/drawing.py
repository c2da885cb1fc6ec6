"""The drawing of a function: its inputs on the left, its outputs on the right, joined by lines.

This module computes positions and texts; `templates/functions/_drawing.html` draws them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from ..common.kinds import AssetKind
from ..common.text.reading import cut
from .specs import FunctionInputSpec, FunctionOutputSpec

Slot = FunctionInputSpec | FunctionOutputSpec

# In pixels.
BOX_HEIGHT, GAP, MARGIN = 44, 12, 6
# The table beside the drawing has the others.
MAX_BOXES = 12


@dataclass(frozen=True, slots=True)
class Measures:
    """The width of boxes and of the space between them, and how many letters fit in a box."""

    looks: str
    box_width: int
    reach: int
    letters: int


WIDE = Measures("wide", 164, 44, 18)
# For phones, with letters of the same size.
NARROW = Measures("narrow", 104, 14, 11)


@dataclass(frozen=True, slots=True)
class Box:
    """An input, an output or the function itself, and the line that joins it to the function."""

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
    """The boxes of a function, its own first, and the size of the drawing."""

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
    # Names are set in a narrower font than identifiers.
    text = cut(name, measures.letters + measures.letters // 5)
    boxes = [
        Box(MARGIN + step, middle, name, text, _("function"), "function"),
        *_column(MARGIN, inputs, height, measures),
        *_column(MARGIN + 2 * step, outputs, height, measures),
    ]
    listed = [
        cut(", ".join(slot.identifier for slot in slots) or _("none"), 200)
        for slots in (inputs, outputs)
    ]
    title = _("%(function)s. Inputs: %(inputs)s. Outputs: %(outputs)s.")
    values = {"function": name, "inputs": listed[0], "outputs": listed[1]}
    return Drawing(measures, height, title % values, boxes)


def _column(x: int, slots: Sequence[Slot], height: int, measures: Measures) -> list[Box]:
    """Return the boxes of a list, one below the other, vertically centred."""
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
            text = _("%(count)s more") % {"count": f"{len(slots) - len(shown):,}"}
            found.append(Box(x, y, text, text, _("see the table"), "more", line=line))
    return found


def _box(slot: Slot, x: int, y: int, line: str, measures: Measures) -> Box:
    kind = str(AssetKind(slot.kind).label)
    optional = isinstance(slot, FunctionInputSpec) and slot.optional
    note = ", ".join([kind, *([_("optional")] if optional else [])])
    text = cut(slot.identifier, measures.letters)
    # In a narrow box, only the dashed outline shows that an input is optional.
    shown = note if measures.letters >= WIDE.letters else kind
    looks = AssetKind(slot.kind).name.lower().replace("_", "-")
    title = f"{slot.identifier}: {note}{', ' + _('multiple') if slot.multiple else ''}"
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
