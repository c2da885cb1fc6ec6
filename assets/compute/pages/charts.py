"""Charts of what the tasks of a plan measured, one for each output."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from ...common.pages.base import url_of
from ..charts import Point, Series, draw_chart, may_be_logarithmic
from ..drawing import COLOURS
from ..queries.outputs import PlanPerformance

# More points are neither readable nor quick to draw; the CSV has all.
MAX_POINTS = 600
RANK, ROUND = "rank", "round"
LINEAR, LOGARITHMIC = "linear", "log"


@dataclass(frozen=True)
class Choice:
    """A link that shows the charts otherwise."""

    label: str
    query: str
    is_current: bool


@dataclass(frozen=True)
class Chart:
    """What one output measured."""

    output: str
    svg: SafeString
    summary: str


@dataclass(frozen=True)
class Charts:
    """The charts of a plan, and the choices of how they are shown, by group."""

    charts: Sequence[Chart]
    choices: Mapping[str, Sequence[Choice]]
    workers: Sequence[tuple[str, int]]
    # How many points are shown, if there are more.
    cut_at: int | None


def charts_of(
    performances: Sequence[PlanPerformance], workers: Sequence[str], query: QueryDict
) -> Charts:
    """Return the charts of performances, as the query of the page asks for them.

    Args:
        workers: all workers of the plan, whose colours are those of the graph.
        performances: in their order; of more than `MAX_POINTS`, one more is enough.
        query: `x` (rank or round), `y` (linear or log) and `worker`; what is not known is left out.
    """
    cut_at = MAX_POINTS if len(performances) > MAX_POINTS else None
    performances = performances[:cut_at]
    has_rounds = all(_number(found.round_idx) is not None for found in performances)
    x = query.get("x") if query.get("x") in (RANK, ROUND) else None
    x = x if x == RANK or (x == ROUND and has_rounds) else (ROUND if has_rounds else RANK)
    y = LOGARITHMIC if query.get("y") == LOGARITHMIC else LINEAR
    measured = sorted({found.worker for found in performances})
    only = query.get("worker") if query.get("worker") in measured else None
    colours = {worker: number % COLOURS for number, worker in enumerate(workers)}
    by_output: dict[str, list[PlanPerformance]] = defaultdict(list)
    for found in performances:
        if only in (None, found.worker):
            by_output[found.identifier].append(found)
    charts = [
        _chart(output, found, colours, x, logarithmic=y == LOGARITHMIC)
        for output, found in sorted(by_output.items())
    ]
    may_be_log = may_be_logarithmic([found.value for found in performances])
    choices = _choices({"x": x, "y": y, "worker": only or ""}, measured, has_rounds, may_be_log)
    shown = [(worker, colours.get(worker, 0)) for worker in measured if only in (None, worker)]
    return Charts(charts, choices, shown, cut_at)


def _choices(
    state: dict[str, str], workers: Sequence[str], has_rounds: bool, may_be_log: bool
) -> dict[str, list[Choice]]:
    """Return the choices by group, without groups that have one only."""

    def choice(label: str, **change: str) -> Choice:
        wanted = {**state, **change}
        return Choice(label, urlencode({k: v for k, v in wanted.items() if v}), wanted == state)

    rounds = [choice(_("round"), x=ROUND)] if has_rounds else []
    logarithmic = [choice(_("logarithmic"), y=LOGARITHMIC)] if may_be_log else []
    choices = {
        _("Horizontal axis"): [*rounds, choice(_("rank"), x=RANK)],
        _("Vertical axis"): [choice(_("linear"), y=LINEAR), *logarithmic],
        _("Workers"): [
            choice(_("all"), worker=""),
            *(choice(worker, worker=worker) for worker in workers),
        ],
    }
    return {group: found for group, found in choices.items() if len(found) > 1}


def _chart(
    output: str,
    performances: Sequence[PlanPerformance],
    colours: Mapping[str, int],
    x: str,
    *,
    logarithmic: bool,
) -> Chart:
    by_worker: dict[str, list[Point]] = defaultdict(list)
    for found in performances:
        at = found.rank if x == RANK else _number(found.round_idx)
        where = _("rank") if x == RANK else _("round")
        title = f"{found.worker}, {where} {at:g}: {found.value}"
        url = url_of("task", found.task_key)
        by_worker[found.worker].append(Point(at or 0, found.value, url, title))
    series = [
        Series(worker, colours.get(worker, 0), sorted(points))
        for worker, points in sorted(by_worker.items())
    ]
    values = [found.value for found in performances]
    summary = _("%(output)s: values from %(low)s to %(high)s.") % {
        "output": output,
        "low": f"{min(values):.4g}",
        "high": f"{max(values):.4g}",
    }
    label = _("rank") if x == RANK else _("round")
    return Chart(output, draw_chart(series, label, logarithmic=logarithmic), summary)


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdecimal() else None
