"""The global search: assets by key or the beginning of one, and by name."""

from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext, gettext_lazy as _

from ..accounts.models import Organization
from ..common.api.filters import MatchFilter
from ..common.db.counting import RowCount, count_rows
from ..common.parsing import key_range
from ..compute.models import ComputePlan, Model, Task
from ..datasets.models import DataSample, Dataset
from ..functions.models import Function

# Up to this many results are counted exactly; more are estimated.
EXACT_COUNT_LIMIT = 1000
# No name and no key is longer.
MAX_TERM_LENGTH = 200


class SearchResult(NamedTuple):
    """One result: its text, the address of its page, a note beside it, and its key if any."""

    text: str
    url: str
    note: str
    key: UUID | None = None


class ResultGroup(NamedTuple):
    """The first results of one kind, how many there are, and the address of the list of all."""

    label: str
    results: list[SearchResult]
    counted: RowCount
    list_url: str

    @property
    def total(self) -> int:
        return self.counted.number

    @property
    def has_more(self) -> bool:
        return bool(self.list_url) and self.total > len(self.results)


class SearchTarget(NamedTuple):
    """A kind that is searched: by key, if it has one, and by the fields in `names`."""

    label: Any
    queryset: QuerySet
    make_result: Callable[[Any], SearchResult]
    list_name: str = ""
    names: tuple[str, ...] = ()
    has_key: bool = True

    def matching(self, term: str, keys: tuple[UUID, UUID] | None) -> QuerySet | None:
        """Return the rows that match the term; None if this kind cannot match it."""
        by_key = Q(key__range=keys) if keys and self.has_key else None
        if not self.names:
            return self.queryset.filter(by_key) if by_key else None
        named = MatchFilter(*self.names).filter(self.queryset, term)
        return named | self.queryset.filter(by_key) if by_key else named

    def group(self, rows: QuerySet, term: str, limit: int) -> ResultGroup:
        """Return the first `limit` rows as results, with the number of all."""
        shown = list(rows.order_by("-creation_date", "-pk")[: limit + 1])
        is_whole = len(shown) <= limit
        counted = (
            RowCount(len(shown), exact=True) if is_whole else count_rows(rows, EXACT_COUNT_LIMIT)
        )
        url = f"{reverse(self.list_name)}?{urlencode({'q': term})}" if self.list_name else ""
        results = [self.make_result(row) for row in shown[:limit]]
        return ResultGroup(str(self.label), results, counted, url)


def _asset(url_name: str) -> Callable[[Any], SearchResult]:
    def make_result(row: Any) -> SearchResult:
        return SearchResult(str(row), reverse(url_name, args=[row.pk]), row.owner_id, row.pk)

    return make_result


def _organization(row: Organization) -> SearchResult:
    return SearchResult(row.pk, reverse("organization", args=[row.pk]), row.name)


def _task(row: Task) -> SearchResult:
    names = {"function": row.function.name, "plan": row.compute_plan.name}
    note = gettext("%(function)s in %(plan)s") % names
    return SearchResult(str(row.pk), reverse("task", args=[row.pk]), note, row.pk)


def _model(row: Model) -> SearchResult:
    note = gettext("Owned by %(owner)s, on the page of its task") % {"owner": row.owner_id}
    return SearchResult(str(row.pk), reverse("task", args=[row.task_id]), note, row.pk)


SEARCH_TARGETS = (
    SearchTarget(_("Datasets"), Dataset.objects.all(), _asset("dataset"), "datasets", ("name",)),
    SearchTarget(
        _("Functions"), Function.objects.all(), _asset("function"), "functions", ("name",)
    ),
    SearchTarget(
        _("Compute plans"),
        ComputePlan.objects.all(),
        _asset("compute-plan"),
        "compute-plans",
        ("name",),
    ),
    SearchTarget(
        _("Organisations"),
        Organization.objects.all(),
        _organization,
        "organizations",
        ("id", "name"),
        has_key=False,
    ),
    SearchTarget(
        _("Data samples"), DataSample.objects.all(), _asset("data-sample"), "data-samples"
    ),
    SearchTarget(
        _("Tasks"), Task.objects.select_related("function", "compute_plan"), _task, "tasks"
    ),
    SearchTarget(_("Models"), Model.objects.all(), _model),
)


def clean(term: str) -> str:
    """Return the term in a form that every database accepts, and no longer than names are."""
    return " ".join(term.replace("\0", " ")[:MAX_TERM_LENGTH].split())


def search(term: str, limit: int) -> list[ResultGroup]:
    """Return up to `limit` results of each kind that has any.

    One query for each kind that can match, and one or two more for a kind with more results.
    """
    keys = key_range(term)
    groups = [
        target.group(rows, term, limit)
        for target in (SEARCH_TARGETS if term else ())
        if (rows := target.matching(term, keys)) is not None
    ]
    return [group for group in groups if group.results]


def only_asset(term: str, groups: list[ResultGroup]) -> str:
    """Return the address of the one asset with this key; blank if none or several have it."""
    keys = key_range(term)
    if keys is None or keys[0] != keys[1]:
        return ""
    urls = [result.url for group in groups for result in group.results if result.key == keys[0]]
    return urls[0] if len(urls) == 1 else ""
