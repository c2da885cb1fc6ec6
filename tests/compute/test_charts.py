"""Charts of performances: every value has its place, whatever the values are."""

import re
from xml.etree import ElementTree

import pytest
from django.http import QueryDict

from assets.compute.charts import HEIGHT, WIDTH, Point, Series, draw_chart
from assets.compute.pages.charts import MAX_POINTS, charts_of
from assets.compute.queries.outputs import PlanPerformance


def drawn(*values: float, logarithmic: bool = False) -> ElementTree.Element:
    points = [Point(x, y, f"/tasks/{x}/", f"value {y}") for x, y in enumerate(values)]
    svg = draw_chart([Series("curie", 2, points)], "rank", logarithmic=logarithmic)
    return ElementTree.fromstring(f"<svg>{svg}</svg>")  # noqa: S314  our own


def heights(svg: ElementTree.Element) -> list[float]:
    return [float(circle.get("cy")) for circle in svg.iter("circle")]


@pytest.mark.parametrize("logarithmic", [False, True])
@pytest.mark.parametrize(
    "values",
    [
        [0.5],
        [0.0],
        [-3.0],
        [0.97, 0.98, 0.99],
        [1e-9, 1.0, 1e12],
        [-1e6, 0.0, 1e6],
        [7.0, 7.0, 7.0],
        [1e300, 2e300],
    ],
)
def test_every_value_is_inside(values, logarithmic):
    svg = drawn(*values, logarithmic=logarithmic)
    circles = list(svg.iter("circle"))
    assert len(circles) == len(values)
    for circle in circles:
        assert 0 < float(circle.get("cx")) < WIDTH
        assert 0 < float(circle.get("cy")) < HEIGHT
    # Larger is higher.
    assert sorted(heights(svg), reverse=True) == heights(svg)
    marks = [text.text for text in svg.iter("text") if text.get("text-anchor") == "end"]
    assert len(marks) == len(set(marks)) > 1
    assert "rank" in [text.text for text in svg.iter("text")]


def test_logarithmic_steps_are_even():
    low, middle, high = heights(drawn(1.0, 10.0, 100.0, logarithmic=True))
    assert low - middle == pytest.approx(middle - high, abs=0.2)


def test_zero_has_no_logarithm():
    assert heights(drawn(0.0, 10.0, 100.0, logarithmic=True)) == heights(drawn(0.0, 10.0, 100.0))


def test_points_are_links_with_titles():
    svg = drawn(0.5, 0.6)
    assert [link.get("href") for link in svg.iter("a")] == ["/tasks/0/", "/tasks/1/"]
    assert [title.text for title in svg.iter("title")] == ["value 0.5", "value 0.6"]


def test_texts_are_escaped():
    svg = draw_chart([Series("x", 0, [Point(0, 1, '"/>', "<b>")])], "<i>")
    assert "<b>" not in svg
    assert "<i>" not in svg
    assert 'href="&quot;/&gt;"' in svg


def test_nothing_measured():
    assert draw_chart([], "rank") == ""
    assert draw_chart([Series("x", 0, [])], "rank") == ""


def measured(*values: float, worker: str = "A", rounds: bool = True, output: str = "auc"):
    return [
        PlanPerformance(
            "k", "f", rank * 2, str(rank + 1) if rounds else None, worker, output, value
        )
        for rank, value in enumerate(values)
    ]


def shown(query: str, *performances: PlanPerformance):
    return charts_of(performances, ["A", "B"], QueryDict(query))


def labels(charts, group: str) -> list[tuple[str, bool]]:
    return [(choice.label, choice.is_current) for choice in charts.choices[group]]


def test_rounds_are_shown_where_all_tasks_have_one():
    charts = shown("", *measured(0.5, 0.6))
    assert labels(charts, "Horizontal axis") == [("round", True), ("rank", False)]
    charts = shown("x=round", *measured(0.5), *measured(0.6, rounds=False))
    assert "Horizontal axis" not in charts.choices
    assert ">rank<" in charts.charts[0].svg


@pytest.mark.parametrize(
    ("query", "group", "current"),
    [
        ("x=rank", "Horizontal axis", "rank"),
        ("x=nonsense", "Horizontal axis", "round"),
        ("y=log", "Vertical axis", "logarithmic"),
        ("y=nonsense", "Vertical axis", "linear"),
        ("worker=B", "Workers", "B"),
        ("worker=C", "Workers", "all"),
    ],
)
def test_choices(query, group, current):
    charts = shown(query, *measured(0.5, 0.6), *measured(0.7, 0.8, worker="B"))
    assert dict(labels(charts, group))[current]
    for choice in charts.choices[group]:
        again = shown(choice.query, *measured(0.5, 0.6), *measured(0.7, 0.8, worker="B"))
        assert dict(labels(again, group))[choice.label]


def test_one_worker_only():
    both = [*measured(0.5, 0.6), *measured(0.7, worker="B")]
    assert len(re.findall("<circle", shown("", *both).charts[0].svg)) == 3
    only = shown("worker=B", *both)
    assert len(re.findall("<circle", only.charts[0].svg)) == 1
    assert only.workers == [("B", 1)]


def test_a_chart_for_each_output():
    charts = shown("", *measured(0.5), *measured(0.7, output="loss"))
    assert [chart.output for chart in charts.charts] == ["auc", "loss"]
    assert charts.charts[0].summary == "auc: values from 0.5 to 0.5."


def test_many_values_are_cut():
    many = measured(*[0.5] * (MAX_POINTS + 1))
    assert shown("", *many).cut_at == MAX_POINTS
    assert shown("", *many[:-1]).cut_at is None
