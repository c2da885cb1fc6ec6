"""`/compute_plan/`. Contract 2.6."""

from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from ...common.api.pagination import is_from_sdk
from ...common.api.viewsets import EMPTY
from ...common.idempotency.api import idempotent
from ...common.parsing import as_key
from ...feed.registration import rename
from ...functions.filters import FunctionFilterSet
from ...functions.models import Function
from ...functions.serializers import FunctionSerializer
from .. import registration
from ..models import ComputePlan, Task
from ..specs import parse_compute_plan, parse_tasks
from .base import TASK_ORDERING, TaskAnsweringViewSet, takes_many_tasks
from .filters import ComputePlanFilterSet, TaskFilterSet
from .performances import performances_of_plan
from .serializers import (
    ComputePlanSerializer,
    ComputePlanSpecSerializer,
    TaskBatchSerializer,
    TaskSerializer,
)
from .workflow import workflow_graph


class ComputePlanViewSet(TaskAnsweringViewSet):
    """Compute plans: groups of tasks, and the performances that they measure."""

    queryset = ComputePlan.objects.select_related("creator")
    serializer_class = ComputePlanSerializer
    spec_serializer_class = ComputePlanSpecSerializer
    filterset_class = ComputePlanFilterSet
    orders_by_metadata = True
    ordering_fields = {
        "creation_date": "creation_date",
        "start_date": "start_date",
        "end_date": "end_date",
        "key": "key",
        "owner": "owner_id",
        "status": "status",
        "tag": "tag",
        "name": "name_order",
        "duration": "elapsed",
        "creator": "visible_creator",
    }

    @extend_schema(request=ComputePlanSpecSerializer, responses={201: ComputePlanSerializer})
    @idempotent()
    @takes_many_tasks
    def create(self, request: Request, *args, **kwargs) -> Response:
        """Register a plan with its tasks, all or none. Repeating the same request succeeds."""
        spec = self.read(parse_compute_plan)
        plan = registration.register_compute_plan(spec, self.user)
        return Response(self.answer([plan.key])[0], status=201)

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        is_refused_plan = response.status_code == 409 and self.action == "create"
        if is_refused_plan and is_from_sdk(self.request):
            # The SDK takes a single key for the whole plan, and fails on missing values. For a
            # list of keys, it reports that they exist already.
            response.data["key"] = [response.data["key"]]
        return response

    def rename(self, plan: ComputePlan, name: str) -> None:
        rename(self.user, plan, name)

    @extend_schema(request=None, responses={200: EMPTY})
    @action(detail=True, methods=["post"])
    @idempotent(lambda view, keys: Response({}))
    def cancel(self, request: Request, key: str, **kwargs) -> Response:
        """Cancel the plan and its tasks that are not final."""
        registration.cancel_compute_plan(self._plan_key(), self.user)
        return Response({})

    @extend_schema(request=TaskBatchSerializer, responses={200: TaskSerializer(many=True)})
    @action(detail=True, methods=["post"], spec_serializer_class=TaskBatchSerializer)
    @idempotent()
    @takes_many_tasks
    def tasks(self, request: Request, key: str, **kwargs) -> Response:
        """Add tasks to the plan, all or none."""
        plan = self.get_object()
        return self.answer_tasks(self.read(parse_tasks), plan.key)

    @extend_schema(responses={200: TaskSerializer(many=True)})
    @action(
        detail=True,
        queryset=Task.objects.all(),
        serializer_class=TaskSerializer,
        filterset_class=TaskFilterSet,
        ordering_fields=TASK_ORDERING,
        orders_by_metadata=False,
    )
    def task(self, request: Request, key: str, **kwargs) -> Response:
        """List the plan's tasks; none for an unknown plan."""
        return self.answer_list(self.get_queryset().filter(compute_plan_id=self._plan_key()))

    @extend_schema(responses={200: FunctionSerializer(many=True)})
    @action(
        detail=True,
        queryset=Function.objects.all(),
        serializer_class=FunctionSerializer,
        filterset_class=FunctionFilterSet,
        ordering_fields={"creation_date": "creation_date", "key": "key", "name": "name_order"},
        orders_by_metadata=False,
    )
    def functions(self, request: Request, key: str, **kwargs) -> Response:
        """List the functions that the plan's tasks run."""
        used = Task.objects.filter(compute_plan_id=self._plan_key()).values("function_id")
        return self.answer_list(self.get_queryset().filter(key__in=used))

    @extend_schema(responses={200: EMPTY})
    @action(detail=True, filterset_class=None, pagination_class=None)
    def workflow_graph(self, request: Request, key: str, **kwargs) -> Response:
        """Return the graph of the plan, if it has at most 5,000 tasks."""
        return Response(workflow_graph(self._plan_key(), request))

    @extend_schema(responses={200: OpenApiTypes.OBJECT})
    @action(detail=True, filterset_class=None, pagination_class=None)
    def perf(self, request: Request, key: str, **kwargs) -> Response:
        """Return all performances of the plan at once; none for an unknown plan."""
        ordering = request.query_params.get("ordering", "")
        return Response(performances_of_plan(self._plan_key(), ordering))

    def _plan_key(self) -> UUID:
        key = as_key(self.kwargs["key"])
        if key is None:
            raise ValidationError({"detail": f'key is not a valid UUID: "{self.kwargs["key"]}"'})
        return key
