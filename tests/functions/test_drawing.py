"""The drawing of a function: every input and output in its place, and texts that have room."""

import re
from itertools import pairwise

import pytest

from assets.functions.drawing import BOX_HEIGHT, MAX_BOXES, NARROW, WIDE, draw
from assets.functions.specs import FunctionInputSpec, FunctionOutputSpec
from tests.builders import MODEL_INPUT, MODEL_OUTPUT, OPENER_INPUT, SAMPLES_INPUT

INPUTS = (OPENER_INPUT, SAMPLES_INPUT, MODEL_INPUT)
every_width = pytest.mark.parametrize("measures", [WIDE, NARROW])


def models(count: int) -> list[FunctionInputSpec]:
    return [FunctionInputSpec(f"m{number}", "ASSET_MODEL") for number in range(count)]


def looks_of(boxes) -> list[tuple[str, str, bool, bool]]:
    return [(box.text, box.looks, box.multiple, box.optional) for box in boxes]


@every_width
def test_what_is_drawn(measures):
    drawing = draw("Train", INPUTS, [MODEL_OUTPUT], measures)
    assert looks_of(drawing.boxes) == [
        ("Train", "function", False, False),
        ("opener", "data-manager", False, False),
        ("datasamples", "data-sample", True, False),
        ("shared", "model", False, True),
        ("model", "model", False, False),
    ]
    assert drawing.title == "Train. Inputs: opener, datasamples, shared. Outputs: model."


def test_what_a_box_says():
    boxes = {box.text: box for box in draw("Train", INPUTS, [MODEL_OUTPUT]).boxes}
    assert boxes["datasamples"].note == "data sample"
    assert boxes["datasamples"].title == "datasamples: data sample, multiple"
    assert boxes["shared"].note == "model, optional"
    assert boxes["shared"].title == "shared: model, optional"


@every_width
@pytest.mark.parametrize(("takes", "makes"), [(0, 0), (1, 0), (0, 5), (7, 2), (40, 40)])
def test_boxes_are_inside_and_apart(takes, makes, measures):
    outputs = [FunctionOutputSpec(item.identifier, item.kind) for item in models(makes)]
    drawing = draw("Name", models(takes), outputs, measures)
    places = [(box.x, box.y) for box in drawing.boxes]
    assert len(set(places)) == len(places)
    for x, y in places:
        assert 0 <= x <= drawing.width - measures.box_width
        assert 0 <= y <= drawing.height - BOX_HEIGHT
    for column in {x for x, _ in places}:
        heights = sorted(y for x, y in places if x == column)
        assert all(lower - upper > BOX_HEIGHT for upper, lower in pairwise(heights))


@every_width
def test_lines_join_what_they_are_about(measures):
    own, *others = draw("Train", INPUTS, [MODEL_OUTPUT], measures).boxes
    for box in others:
        numbers = [int(number) for number in re.findall(r"\d+", box.line)]
        start, end = numbers[:2], numbers[-2:]
        from_box, to_box = (box, own) if box.x < own.x else (own, box)
        assert start == [from_box.x + measures.box_width, from_box.y + BOX_HEIGHT // 2]
        assert end == [to_box.x, to_box.y + BOX_HEIGHT // 2]


@every_width
def test_long_texts_are_cut_and_shown_in_full(measures):
    long = "i" * 100
    own, box = draw("n" * 100, [FunctionInputSpec(long, "ASSET_MODEL")], (), measures).boxes
    assert len(box.text) == measures.letters
    assert box.text.endswith("…")
    assert long in box.title
    assert own.title == "n" * 100


def test_of_many_only_the_first_are_drawn():
    shown = [box.text for box in draw("Name", models(100), ()).boxes[1:]]
    assert shown == [*(f"m{number}" for number in range(MAX_BOXES)), "88 more"]
    # One more box than that says what it is as well as how many there are.
    assert len(draw("Name", models(MAX_BOXES + 1), ()).boxes) == MAX_BOXES + 2


def test_a_function_without_inputs():
    assert draw("Name", (), ()).title == "Name. Inputs: none. Outputs: none."
