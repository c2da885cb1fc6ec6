"""What the addresses of plans and of tasks share."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import QuerySet
from rest_framework.response import Response

from ...accounts.models import User
from ...common.api.viewsets import AssetViewSet
from ...common.errors import Problem, refuse_if
from ...permissions.access import check_may_register
from .. import registration
from ..models import ComputePlan
from ..queries.lists import with_duration, with_visible_creator
from ..specs import TaskSpec
from .serializers import TaskSerializer

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


def refuse_unread(user: User, problems: Sequence[Problem]) -> None:
    """Refuse a body that cannot be read, after users who may not register.

    Raises:
        Refused: the user may not register, or the body has problems.
    """
    refuse_if(check_may_register(user))
    refuse_if(problems)


class TaskAnsweringViewSet(AssetViewSet):
    """Registers batches of tasks, and sorts lists by duration and creator."""

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
