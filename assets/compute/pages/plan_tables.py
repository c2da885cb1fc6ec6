"""The tables of a plan's page as rows of HTML: by rank, functions, performances."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from ...common.pages.base import url_of
from ...common.pages.markup import short
from ..queries.outputs import PlanPerformance
from ..queries.relations import counts_by_rank
from .base import ORDER, status_tag

# How many ranks and workers the table by rank and worker shows.
MAX_RANKS, MAX_WORKERS = 200, 30


@dataclass(frozen=True)
class RankTable:
    """A plan's tasks counted by rank and worker: a row per rank, a cell per worker."""

    workers: Sequence[str]
    rows: SafeString
    more: int
    more_workers: int


def rank_table(plan_key: UUID) -> RankTable:
    """Return a plan's tasks counted by rank and worker; one query."""
    counts = counts_by_rank(plan_key)
    all_workers = sorted({worker for row in counts.values() for worker in row})
    workers = all_workers[:MAX_WORKERS]
    list_url = f"{reverse('tasks')}?compute_plan_key={plan_key}&amp;rank="
    rows = [
        f'<tr><th scope="row" class="number"><a href="{list_url}{rank}">{rank}</a></th>'
        + "".join([f"<td>{_tags(counts[rank].get(worker, {}))}</td>" for worker in workers])
        + "</tr>"
        for rank in sorted(counts)[:MAX_RANKS]
    ]
    html = mark_safe("\n".join(rows))  # noqa: S308  numbers and tags
    return RankTable(workers, html, len(counts) - len(rows), len(all_workers) - len(workers))


def _tags(counts: Mapping[str, int]) -> str:
    return " ".join([status_tag(status, counts[status]) for status in ORDER if status in counts])


def function_rows(functions: Iterable[Sequence[Any]], plan_key: UUID) -> SafeString:
    """Return the rows of the table of a plan's functions, given what `functions_of` returns."""
    list_url = f"{reverse('tasks')}?compute_plan_key={plan_key}&amp;function_key="
    rows = [
        f'<tr><td><a href="{url_of("function", key)}">{escape(name)}</a></td>'
        f'<td class="number"><a href="{list_url}{key}">{count:,}</a></td></tr>'
        for key, name, count in functions
    ]
    return mark_safe("\n".join(rows))  # noqa: S308  names were escaped; the rest is our own


def performance_rows(performances: Iterable[PlanPerformance]) -> SafeString:
    """Return the rows of the table of a plan's performances."""
    rows = [
        f'<tr><td><a class="mono" href="{url_of("task", found.task_key)}">'
        f'{short(found.task_key)}</a></td><td class="number">{found.rank}</td>'
        f"<td>{escape(found.round_idx or '')}</td><td>{escape(found.worker)}</td>"
        f'<td>{escape(found.identifier)}</td><td class="number">{found.value}</td></tr>'
        for found in performances
    ]
    return mark_safe("".join(rows))  # noqa: S308  texts were escaped; the rest is our own
