"""What the addresses of runners share: the runner, its jobs, and bodies."""

from functools import cache
from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.views import APIView

from ...accounts.api.authentication import RunnerAuthentication
from ...accounts.models import Runner
from ...common.parsing import as_key
from ..models import Job


class RunnerView(APIView):
    """Answers runners only."""

    authentication_classes = [RunnerAuthentication]

    @property
    def runner(self) -> Runner:
        """The runner that asks."""
        runner: Any = self.request.auth
        return runner

    def job(self, key: str) -> Job:
        """Return a job of the runner. Raises: NotFound if it has none with this key."""
        uuid: UUID | None = as_key(key)
        job = Job.objects.filter(pk=uuid, runner=self.runner.pk).first() if uuid else None
        if job is None:
            raise NotFound(f'This runner has no job "{key}". Claim one.')
        job.runner = self.runner
        return job

    def body(self, serializer_class: type[serializers.Serializer]) -> Any:
        """Return the validated body. Raises: ValidationError, by field."""
        return _reader(serializer_class).run_validation(self.request.data)


@cache
def _reader(serializer_class: type[serializers.Serializer]) -> serializers.Serializer:
    """Return a serializer for any number of bodies: making its fields takes longer than reading."""
    return serializer_class()
