"""A stand-in for the program on an organisation's machine: it asks and reports by HTTP."""

from typing import Any

from rest_framework.test import APIClient

from assets.accounts.models import Organization, Runner
from assets.accounts.registration.runners import create_runner

Job = dict[str, Any]


class StandIn:
    """A runner of an organisation, with its client."""

    def __init__(self, organization_id: str, name: str = "ward") -> None:
        organization = Organization.objects.get(pk=organization_id)
        self.runner, self.secret = create_runner(organization, name=name)
        self.client = APIClient(HTTP_AUTHORIZATION=f"Token {self.secret}")

    def post(self, path: str, body: Any = None):
        return self.client.post(f"/api/runner/{path}", body or {}, format="json")

    def get(self, path: str):
        return self.client.get(f"/api/runner/{path}")

    def claim(self, jobs: int = 1, **more: Any) -> list[Job]:
        answer = self.post("claim/", {"jobs": jobs, "version": "1", "engine": "none", **more})
        assert answer.status_code == 200, answer.content
        found: list[Job] = answer.json()["jobs"]
        assert len(found) <= jobs
        return found

    def report(self, job: Job | str, what: str, **body: Any):
        key = job if isinstance(job, str) else job["key"]
        return self.post(f"job/{key}/{what}/", body)

    def renew(self, *jobs: Job | str) -> dict[str, Any]:
        keys = [job if isinstance(job, str) else job["key"] for job in jobs]
        answer = self.post("renew/", {"jobs": keys})
        assert answer.status_code == 200, answer.content
        found: dict[str, Any] = answer.json()["jobs"]
        return found

    def seen(self) -> Runner:
        return Runner.objects.get(pk=self.runner.pk)
