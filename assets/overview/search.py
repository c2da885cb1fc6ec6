"""What the search finds: assets by key or by the beginning of one, and by name."""

from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.http import urlencode

from ..accounts.models import Organization
from ..common.api.filters import MatchFilter
from ..common.db.counting import RowCount, count_rows
from ..common.parsing import key_range
from ..compute.models import ComputePlan, Model, Task
from ..datasets.models import DataSample, Dataset
from ..functions.models import Function

# Of what is found, so many are counted; more are estimated.
COUNTED = 1000
# Nothing that is searched is longer.
LONGEST = 200


class Hit(NamedTuple):
    """One thing that was found."""

    text: str
    url: str
    note: str
    key: UUID | None = None


class Found(NamedTuple):
    """What was found of one kind: the first few, how many there are, and where all are."""

    label: str
    hits: list[Hit]
    counted: RowCount
    all_url: str

    @property
    def total(self) -> int:
        return self.counted.number

    @property
    def more(self) -> bool:
        return bool(self.all_url) and self.total > len(self.hits)


class Place(NamedTuple):
    """A kind that is searched: by key unless it has none, and by the fields that name it."""

    label: str
    queryset: QuerySet
    hit: Callable[[Any], Hit]
    list_url: str = ""
    names: tuple[str, ...] = ()
    has_key: bool = True


def clean(text: str) -> str:
    """Return what can be searched for: no end of text, and nothing that a database refuses."""
    return " ".join(text.replace("\0", " ")[:LONGEST].split())


def _asset(url_name: str) -> Callable[[Any], Hit]:
    def hit(row: Any) -> Hit:
        return Hit(str(row), reverse(url_name, args=[row.pk]), row.owner_id, row.pk)

    return hit


def _organization(row: Organization) -> Hit:
    return Hit(row.pk, reverse("organization", args=[row.pk]), row.name)


def _task(row: Task) -> Hit:
    note = f"{row.function.name} in {row.compute_plan.name}"
    return Hit(str(row.pk), reverse("task", args=[row.pk]), note, row.pk)


def _model(row: Model) -> Hit:
    note = f"a model of {row.owner_id}, on the page of its task"
    return Hit(str(row.pk), reverse("task", args=[row.task_id]), note, row.pk)


PLACES = (
    Place("Datasets", Dataset.objects.all(), _asset("dataset"), "datasets", ("name",)),
    Place("Functions", Function.objects.all(), _asset("function"), "functions", ("name",)),
    Place(
        "Compute plans",
        ComputePlan.objects.all(),
        _asset("compute-plan"),
        "compute-plans",
        ("name",),
    ),
    Place(
        "Organisations",
        Organization.objects.all(),
        _organization,
        "organizations",
        ("id", "name"),
        has_key=False,
    ),
    Place("Data samples", DataSample.objects.all(), _asset("data-sample"), "data-samples"),
    Place("Tasks", Task.objects.select_related("function", "compute_plan"), _task, "tasks"),
    Place("Models", Model.objects.all(), _model),
)


def search(text: str, limit: int) -> list[Found]:
    """Return what was found, by kind; a query a kind that can have what is asked for.

    Where more was found than is shown, one more counts it, or two estimate it.

    Keys are looked up as a range, which the index of the column serves.
    """
    keys = key_range(text)
    found = []
    for place in PLACES if text else ():
        rows = _matching(place, text, keys)
        if rows is not None:
            found.append(_found(place, rows, text, limit))
    return [kind for kind in found if kind.hits]


def _matching(place: Place, text: str, keys: tuple[UUID, UUID] | None) -> QuerySet | None:
    by_key = Q(key__range=keys) if keys and place.has_key else None
    if not place.names:
        return place.queryset.filter(by_key) if by_key else None
    named = MatchFilter(*place.names).filter(place.queryset, text)
    return named | place.queryset.filter(by_key) if by_key else named


def _found(place: Place, rows: QuerySet, text: str, limit: int) -> Found:
    shown = list(rows.order_by("-creation_date", "-pk")[: limit + 1])
    all_are_shown = len(shown) <= limit
    counted = RowCount(len(shown), exact=True) if all_are_shown else count_rows(rows, COUNTED)
    all_url = f"{reverse(place.list_url)}?{urlencode({'q': text})}" if place.list_url else ""
    return Found(
        place.label,
        [place.hit(row) for row in shown[:limit]],
        counted,
        all_url,
    )


def only_asset(text: str, found: list[Found]) -> str:
    """Return the page of the one asset whose key this is; blank when it is none's or several's."""
    keys = key_range(text)
    if keys is None or keys[0] != keys[1]:
        return ""
    urls = [hit.url for kind in found for hit in kind.hits if hit.key == keys[0]]
    return urls[0] if len(urls) == 1 else ""
