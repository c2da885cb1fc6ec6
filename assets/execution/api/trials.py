"""`/trial/`: dry runs of functions on fake data."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django_filters.rest_framework import FilterSet
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from ...common.api.filters import KeysFilter
from ...common.idempotency.api import idempotent
from ...common.parsing import as_key
from ..models import Trial
from ..queries.trials import trials_of
from ..registration.trials import begin_trial
from ..serializers import ListedTrialSerializer, TrialSerializer, TrialSpecSerializer
from ..specs import TrialSpec


class TrialFilterSet(FilterSet):
    function_key = KeysFilter(field_name="function_id")


class TrialViewSet(ListModelMixin, RetrieveModelMixin, GenericViewSet):
    """The dry runs of the requesting user's organisation: each function's last ones."""

    serializer_class = TrialSerializer
    filterset_class = TrialFilterSet
    ordering_fields = {"creation_date": "creation_date"}
    lookup_url_kwarg = "key"
    lookup_value_regex = "[^/]+"

    def get_queryset(self) -> QuerySet[Trial]:
        # The schema is generated without a user.
        trials = trials_of(getattr(self.request.user, "organization_id", None))
        return trials.defer("logs") if self.action == "list" else trials

    def get_object(self) -> Trial:
        return self._found(self.kwargs["key"])

    def _found(self, text: str) -> Trial:
        """Return the dry run with this key. Raises: NotFound if there is none any more."""
        key = as_key(text)
        trial = self.get_queryset().filter(pk=key).first() if key else None
        if trial is None:
            raise NotFound("Your organisation has no such dry run. It keeps the last ones.")
        return trial

    def get_serializer_class(self) -> Any:
        if self.request.method == "POST":
            return TrialSpecSerializer
        return ListedTrialSerializer if self.action == "list" else TrialSerializer

    def answer_again(self, keys: Sequence[str]) -> Response:
        """Return the response of the request that began this dry run."""
        return self._answer(self._found(keys[0]))

    def _answer(self, trial: Trial) -> Response:
        return Response(TrialSerializer(trial).data, status=201)

    @extend_schema(request=TrialSpecSerializer, responses={201: TrialSerializer})
    @idempotent(answer_again)
    def create(self, request: Request, *args, **kwargs) -> Response:
        """Begin a dry run, which a runner of your organisation does."""
        body = TrialSpecSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        user: Any = request.user
        return self._answer(begin_trial(TrialSpec(**body.validated_data), user))
