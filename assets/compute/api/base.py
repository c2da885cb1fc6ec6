"""What the addresses of plans and of tasks share."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import QuerySet
from rest_framework.response import Response

from ...common.api.parsers import json_errors
from ...common.api.viewsets import AssetViewSet
from ...common.errors import Problem, refuse_if
from ...common.ops.body_limits import takes_large_list
from ...permissions.access import check_may_register
from .. import registration
from ..models import ComputePlan
from ..queries.lists import with_duration, with_visible_creator
from ..specs import TaskSpec
from .serializers import TaskSerializer, as_json

Spec = TypeVar("Spec")

TASK_ORDERING = {
    "creation_date": "creation_date",
    "start_date": "start_date",
    "end_date": "end_date",
    "key": "key",
    "owner": "owner_id",
    "rank": "rank",
    "status": "status",
    "function__name": "function__name_order",
    "tag": "tag",
    "compute_plan_key": "compute_plan_id",
    "duration": "elapsed",
}


# Tasks take data samples by the thousand.
takes_many_tasks = takes_large_list("tasks", kept="inputs")


class TaskAnsweringViewSet(AssetViewSet):
    """Registers batches of tasks, and sorts lists by duration and creator."""

    def read(self, parse: Callable[[Mapping[str, Any]], tuple[Spec, list[Problem]]]) -> Spec:
        """Return what `parse` makes of the body.

        Raises:
            Refused: the user may not register, or the body has problems.
            ParseError: the body is not JSON.
        """
        with json_errors():
            spec, problems = parse(as_json(self.request.data))
        refuse_if(check_may_register(self.user))
        refuse_if(problems)
        return spec

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        ordering = self.request.query_params.get("ordering", "")
        if "duration" in ordering:
            queryset = with_duration(queryset)
        if "creator" in ordering and queryset.model is ComputePlan:
            queryset = with_visible_creator(queryset, self.user.organization_id)
        return super().filter_queryset(queryset)

    def answer_tasks(self, specs: Sequence[TaskSpec], plan_key: UUID | None = None) -> Response:
        """Register a batch and return its tasks, in dependency order."""
        keys = registration.register_tasks(specs, self.user, plan_key)
        tasks = TaskSerializer(context=self.get_serializer_context())
        return Response(tasks.represent(keys))
