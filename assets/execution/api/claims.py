"""Asks for work, and renews leases."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from ...common.api.serializers import api_root
from ...common.connections import client_has_gone, let_wait
from ..queries.jobs import work_of_jobs
from ..registration.claims import claim, note
from ..registration.leases import lease
from ..registration.renewals import renew
from ..serializers import (
    ClaimSerializer,
    JobsSerializer,
    RenewalsSerializer,
    RenewSerializer,
    job_wire,
)
from . import examples
from .base import RunnerView


class ClaimView(RunnerView):
    """Hands out work."""

    @extend_schema(
        operation_id="runner_claim",
        request=ClaimSerializer,
        responses={200: JobsSerializer},
        examples=examples.CLAIM,
    )
    def post(self, request: Request, **kwargs) -> Response:
        """Claim jobs, each with a lease: renew it while you are at work, or others get the job."""
        wanted = self.body(ClaimSerializer)
        self.runner.has_data_root = wanted["data_root"]
        is_news = note(self.runner, version=wanted["version"], engine=wanted["engine"])
        # What a runner that has gone claims would be lost.
        jobs = [] if client_has_gone() else claim(self.runner, wanted["jobs"], looks_back=is_news)
        root = api_root(request)
        answer = Response({"jobs": [job_wire(work, root) for work in work_of_jobs(jobs)]})
        if not jobs:
            let_wait(request._request, answer, wanted["wait"])
        return answer


class RenewView(RunnerView):
    """Renews leases."""

    @extend_schema(
        operation_id="runner_renew",
        request=RenewSerializer,
        responses={200: RenewalsSerializer},
        examples=examples.RENEW,
    )
    def post(self, request: Request, **kwargs) -> Response:
        """Renew the leases of jobs; a job that was lost or cancelled says why to stop it."""
        keys = self.body(RenewSerializer)["jobs"]
        stopped = renew(self.runner, keys)
        going_on = {"expires_in": lease().total_seconds()}
        return Response(
            {
                "jobs": {
                    str(key): {"stop": stopped[key]} if key in stopped else going_on for key in keys
                }
            }
        )
