"""`/performance/`: performances of one plan, of all plans, and as CSV. Contract 2.9."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from ...common.db.lookups import MetadataValue
from ...common.pages.exports import line_writer
from ..models import Performance
from ..queries.outputs import plan_performances, ranks_and_rounds
from .filters import PLAN, PerformanceFilterSet
from .serializers import PerformanceRowSerializer

TASK = "output__task__"


def performances_of_plan(plan_key: UUID, ordering: str) -> dict[str, Any]:
    """Return the answer with a plan's performances and statistics; two queries."""
    ranks, rounds = ranks_and_rounds(plan_key)
    rows: list[dict[str, Any]] = [
        {
            "compute_task": {
                "key": performance.task_key,
                "function_key": performance.function_key,
                "rank": performance.rank,
                "round_idx": performance.round_idx,
                "worker": performance.worker,
            },
            "identifier": performance.identifier,
            "perf": performance.value,
        }
        for performance in plan_performances(plan_key)
    ]
    _sort(rows, ordering)
    return {
        "results": rows,
        "compute_plan_statistics": {
            "compute_tasks_distinct_ranks": ranks,
            "compute_tasks_distinct_rounds": rounds,
        },
    }


def _sort(rows: list[dict[str, Any]], ordering: str) -> None:
    fields = {
        "compute_task_output__task__rank": lambda row: row["compute_task"]["rank"],
        "compute_task_output__task__worker": lambda row: row["compute_task"]["worker"],
        "compute_task_output__task__metadata__round_idx": lambda row: (
            row["compute_task"]["round_idx"] or ""
        ),
    }
    # Sorting is stable, so the first field is sorted by last.
    for name in reversed(ordering.split(",")):
        if field := fields.get(name.lstrip("-")):
            rows.sort(key=field, reverse=name.startswith("-"))


class PerformanceViewSet(GenericViewSet):
    """Performances of all plans."""

    queryset = Performance.objects.all()
    serializer_class = PerformanceRowSerializer
    filterset_class = PerformanceFilterSet
    page_size = 1000
    ordering_fields = {
        "task_rank": f"{TASK}rank",
        "task_round": "task_round",
        "worker": f"{TASK}worker_id",
    }

    def get_queryset(self) -> QuerySet:
        return Performance.objects.annotate(
            task_round=MetadataValue(f"{TASK}metadata", "round_idx")
        )

    def _rows(self, request: Request) -> QuerySet:
        queryset = self.filter_queryset(self.get_queryset())
        return queryset.values(
            "task_round",
            compute_plan_key=F(f"{PLAN}key"),
            compute_plan_name=F(f"{PLAN}name"),
            compute_plan_tag=F(f"{PLAN}tag"),
            compute_plan_status=F(f"{PLAN}status"),
            compute_plan_start_date=F(f"{PLAN}start_date"),
            compute_plan_end_date=F(f"{PLAN}end_date"),
            compute_plan_metadata=F(f"{PLAN}metadata"),
            worker=F(f"{TASK}worker_id"),
            task_rank=F(f"{TASK}rank"),
            identifier=F("output__identifier"),
            performance=F("value"),
        )

    def list(self, request: Request, *args, **kwargs) -> Response:
        return self.get_paginated_response(self.paginate_queryset(self._rows(request)))

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.STR})
    @action(detail=False, pagination_class=None)
    def export(self, request: Request, **kwargs) -> StreamingHttpResponse:
        """Stream all performances as CSV; `metadata_columns` names keys of the plans' metadata."""
        columns = [
            name for name in request.query_params.get("metadata_columns", "").split(",") if name
        ]
        lines = _csv_lines(self._rows(request).iterator(), columns)
        response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="compute_plans.csv"'
        return response


def _csv_lines(rows: Iterator[dict[str, Any]], metadata_columns: list[str]) -> Iterator[str]:
    plan = [
        f"compute_plan_{name}"
        for name in ("key", "name", "tag", "status", "start_date", "end_date")
    ]
    task = ["identifier", "worker", "task_rank", "task_round", "performance"]
    line = line_writer()
    yield line([*plan, *metadata_columns, *task])
    for row in rows:
        metadata = [row["compute_plan_metadata"].get(name, "") for name in metadata_columns]
        yield line([*(row[name] for name in plan), *metadata, *(row[name] for name in task)])
