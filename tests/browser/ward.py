"""A hospital with a runner, whose work a test does step by step."""

import io
import json
import subprocess
import sys
import zipfile
from typing import Any
from uuid import uuid4

import requests

from tests.sdk.peers import ROOT

from .site import PATIENCE, Site

ORGANIZATION, MEMBER = "WardMSP", "ward-member"
FOUND = f"""
import django
django.setup()
from assets.accounts.models import Role
from assets.accounts.registration.organizations import create_organization
from assets.accounts.registration.runners import create_runner
from assets.accounts.registration.users import create_user
from assets.demo.hospitals import PASSWORD
ward = create_organization("{ORGANIZATION}", name="The ward")
create_user("{MEMBER}", organization=ward, role=Role.MEMBER, password=PASSWORD)
print(create_runner(ward, name="ward")[1])
"""


class Ward:
    """What a member of the hospital registers, and what its runner does."""

    def __init__(self, site: Site) -> None:
        found = subprocess.run(
            [sys.executable, "-c", FOUND],
            cwd=ROOT,
            env=site.environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=PATIENCE * 3,
        )
        self.api = site.api(MEMBER)
        self._url = f"{site.url}/api/runner"
        self._headers = {"Authorization": f"Token {found.stdout.split()[-1]}"}

    def register_function(self) -> str:
        """Register a function that measures something; return its key."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as files:
            files.writestr("Dockerfile", "FROM scratch\n")
            files.writestr("measure.py", "print(1)\n")
        spec = {
            "name": f"Measure {uuid4()}",
            "permissions": {"public": True, "authorized_ids": []},
            "inputs": {},
            "outputs": {"auc": {"kind": "ASSET_PERFORMANCE", "multiple": False}},
        }
        answer = self.api.session.post(
            f"{self.api.url}/function/",
            files={
                "json": (None, json.dumps(spec)),
                "file": ("function.zip", archive.getvalue()),
                "description": ("description.md", b"It measures."),
            },
            timeout=PATIENCE,
        )
        assert answer.status_code == 201, answer.text
        return answer.json()["key"]

    def register_plan(self, function: str, count: int) -> str:
        """Register a plan of tasks that run the function here; return its key."""
        output = {"permissions": {"public": True, "authorized_ids": []}}
        tasks = [
            {
                "task_id": str(uuid4()),
                "function_key": function,
                "worker": ORGANIZATION,
                "outputs": {"auc": output},
            }
            for _ in range(count)
        ]
        plan = {"key": str(uuid4()), "name": f"Study {uuid4()}", "tasks": tasks}
        return self.api.post("/compute_plan/", plan)["key"]

    def claim(self) -> dict[str, Any]:
        """Claim the next job as the runner; return it."""
        (job,) = self._post("claim", {"jobs": 1, "version": "1", "engine": "none"})["jobs"]
        return job

    def report(self, job: dict[str, Any], what: str, **body: Any) -> None:
        self._post(f"job/{job['key']}/{what}", body)

    def _post(self, path: str, body: Any) -> Any:
        answer = requests.post(
            f"{self._url}/{path}/", json=body, headers=self._headers, timeout=PATIENCE
        )
        assert answer.status_code == 200, answer.text
        return answer.json()
