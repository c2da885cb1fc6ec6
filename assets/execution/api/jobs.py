"""What a job needs and reports."""

from django.core.files.base import ContentFile
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from ...common.api.renderers import FILE_RENDERERS
from ...common.api.viewsets import EMPTY
from ...common.parsing import as_key
from ...compute.statuses import ErrorType
from ...permissions.downloads import FILE_RESPONSES, send_file
from ..queries.jobs import function_of
from ..registration import reports
from ..registration.leases import Outcome, has_ended
from ..registration.work import Failure, Report
from ..serializers import FailSerializer, FinishSerializer, StepsSerializer
from . import examples
from .base import RunnerView


class JobFunctionView(RunnerView):
    """Sends the archive of a job's function."""

    renderer_classes = FILE_RENDERERS

    @extend_schema(
        operation_id="runner_job_function",
        responses=FILE_RESPONSES | {409: OpenApiResponse(description="The job has ended.")},
    )
    def get(self, request: Request, key: str, **kwargs):
        """Download the archive of the job's function, which its lease permits."""
        job = self.job(key)
        if job.ended_at is not None:
            raise has_ended(job)
        function = function_of(job)
        suffix = function.archive.name.rpartition("/function")[2]
        return send_file(request, function, "archive", f"function{suffix}")


class StepsView(RunnerView):
    """Takes how long steps took."""

    @extend_schema(
        operation_id="runner_job_steps",
        request=StepsSerializer,
        responses={200: EMPTY},
        examples=examples.STEPS,
    )
    def post(self, request: Request, key: str, **kwargs) -> Response:
        """Report how long steps of the job took; the last value of each stands."""
        reports.report_steps(self.job(key), self.body(StepsSerializer)["steps"])
        return Response({})


class FinishView(RunnerView):
    """Ends jobs as done."""

    @extend_schema(
        operation_id="runner_job_finish",
        request=FinishSerializer,
        responses={200: EMPTY},
        examples=examples.FINISH,
    )
    def post(self, request: Request, key: str, **kwargs) -> Response:
        """End the job as done. Send its models before."""
        report, uuid = Report(**self.body(FinishSerializer)), as_key(key)
        if not (uuid and reports.finish(self.runner, uuid, report)):
            job = self.job(key)
            if job.outcome != Outcome.DONE:
                raise has_ended(job)
        return Response({})


class FailView(RunnerView):
    """Ends jobs as failed."""

    @extend_schema(
        operation_id="runner_job_fail",
        request=FailSerializer,
        responses={200: EMPTY},
        examples=examples.FAIL,
    )
    def post(self, request: Request, key: str, **kwargs) -> Response:
        """End the job as failed."""
        job, body = self.job(key), self.body(FailSerializer)
        error_type = ErrorType(body["error_type"])
        text = body["logs"].encode()
        # A failure of the function has logs, if only empty ones.
        logs = None if error_type == ErrorType.INTERNAL and not text else ContentFile(text)
        reports.fail(job, Failure(error_type, logs, body["steps"]))
        return Response({})


class GiveBackView(RunnerView):
    """Takes jobs back."""

    @extend_schema(operation_id="runner_job_give_back", request=None, responses={200: EMPTY})
    def post(self, request: Request, key: str, **kwargs) -> Response:
        """Give the job back, for another runner to take at once."""
        reports.give_back(self.job(key))
        return Response({})
