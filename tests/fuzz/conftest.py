"""A registry with something of every kind in it, who asks, and the API as it describes itself."""

import contextlib
from datetime import timedelta
from pathlib import PurePosixPath

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from schemathesis.config import GenerationConfig, SchemathesisConfig
from schemathesis.specs.openapi.schemas import OpenApiSchema

from assets.accounts.models import ExternalIdentity, Organization, Runner, User
from assets.accounts.registration.runners import create_runner
from assets.accounts.registration.tokens import create_token
from assets.compute.models import FailureReport
from assets.compute.registration.progress import move_function, move_tasks
from assets.compute.statuses import TaskStatus
from assets.datasets.registration import register_data_samples, save_look
from assets.datasets.specs import DataSampleSpec
from assets.execution.registration.leases import begin_jobs
from assets.execution.registration.trials import begin_trial
from assets.execution.specs import TrialSpec
from assets.functions.models import FunctionStatus
from assets.functions.specs import FunctionOutputSpec
from tests import builders
from tests.cast import A
from tests.files.everything import make_everything
from tests.properties import profiles  # noqa: F401  how hard hypothesis searches

# Who asks, and as which user.
ROLES = {"admin": "ada", "member": "alice", "viewer": "victor", "stranger": "bob", "unknown": ""}
# And as a runner of their organisation.
RUNNER = "runner"
RESOURCES = {
    "data_manager": "Dataset",
    "data_sample": "DataSample",
    "function": "Function",
    "compute_plan": "ComputePlan",
    "task": "Task",
    "model": "Model",
}


def description() -> dict:
    return SchemaGenerator().get_schema(request=None, public=True)


@pytest.fixture(autouse=True)
def in_this_process(one_connection) -> None:
    """The application itself is asked, not Django's client."""


def closing(application):
    """Return the application with its answers closed at once, as every server does.

    The client of werkzeug leaves them open, and with them the files of the requests.
    """

    def answer(environ, start_response):
        with contextlib.closing(application(environ, start_response)) as pieces:
            return [b"".join(pieces)]

    return answer


@pytest.fixture(scope="session")
def api() -> OpenApiSchema:
    """The API as it describes itself, asked in this process."""
    config = SchemathesisConfig()
    # Who asks is ours to say.
    config.generation = GenerationConfig(with_security_parameters=False)
    schema = schemathesis.openapi.from_dict(description(), config=config)
    schema.app, schema.location = closing(WSGIHandler()), reverse("schema")
    return schema


@pytest.fixture(scope="module")
def runner(shared_rows) -> tuple[Runner, str]:
    """A runner, and the secret of its token."""
    return create_runner(Organization.objects.get(pk=A), name="ward")


def _job(runner: Runner, *outputs: FunctionOutputSpec) -> str:
    """Return the key of an open job at a task with these outputs."""
    alice = User.objects.get(username="alice")
    function = builders.make_aggregate(alice, inputs=(), outputs=outputs)
    specs = {one.identifier: builders.OutputSpec(builders.PUBLIC) for one in outputs}
    task = builders.aggregate_task(function, A, outputs=specs)
    builders.make_plan(alice, task)
    for status in (FunctionStatus.BUILDING, FunctionStatus.READY):
        move_function(function.key, status, runner.agent)
    move_tasks([task.key], TaskStatus.EXECUTING, runner.agent)
    return str(begin_jobs(runner, "task", {task.key: 0}, timezone.now())[0].key)


def _sample_at_runner() -> str:
    """Return the key of a data sample whose folder a runner did not find."""
    alice = User.objects.get(username="alice")
    dataset = builders.make_dataset(alice)
    spec = DataSampleSpec([dataset.key], runner_paths=[PurePosixPath("scans/1")])
    (sample,) = register_data_samples(spec, alice)
    save_look(sample.key, problem="There is no such folder.")
    return str(sample.key)


def _trial() -> str:
    """Return the key of a dry run; its organisation has a runner."""
    alice = User.objects.get(username="alice")
    function = builders.make_aggregate(alice, inputs=())
    return str(begin_trial(TrialSpec(function.key), alice).key)


@pytest.fixture(scope="module")
def known(shared_rows, runner) -> dict[str, str]:
    """The keys of what is registered, by how the addresses begin that they belong in."""
    rows = make_everything(User.objects.get(username="alice"))
    found = {resource: str(rows[name].pk) for resource, name in RESOURCES.items()}
    found["function"] = str(rows["Task"].function_id)
    failed = FailureReport.objects.exclude(task=None).get().task_id
    identity = ExternalIdentity.objects.create(
        issuer="https://idp.example", subject="1", username="newcomer", email="n@idp.example"
    )
    return {
        **found,
        "data_sample/{key}/look": _sample_at_runner(),
        "runner/job": _job(runner[0], builders.MODEL_OUTPUT),
        "runner/job/{key}/finish": _job(runner[0], builders.PERFORMANCE_OUTPUT),
        "trial": _trial(),
        "logs": str(failed),
        "task/{key}/logs": str(failed),
        "users": "victor",
        "users-awaiting-approval": identity.username,
    }


@pytest.fixture
def headers_of(request, runner):
    """Return the headers by which somebody of a role, or the runner, is known."""

    def make(role: str) -> dict[str, str]:
        if role == RUNNER:
            return {"Authorization": f"Token {runner[1]}"}
        if not ROLES[role]:
            return {}
        user = request.getfixturevalue(ROLES[role])
        _, secret = create_token(user, expires_at=timezone.now() + timedelta(hours=1))
        return {"Authorization": f"Token {secret}"}

    return make


def key_for(path: str, known: dict[str, str]) -> str:
    """Return the key of something that is there, for an address of the description."""
    below = path.removeprefix("/api/")
    starts = [start for start in known if below.startswith(start)]
    return known[max(starts, key=len)] if starts else ""
