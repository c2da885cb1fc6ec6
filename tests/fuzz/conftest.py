"""A registry with something of every kind in it, who asks, and the API as it describes itself."""

import contextlib
from datetime import timedelta

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from schemathesis.config import GenerationConfig, SchemathesisConfig
from schemathesis.specs.openapi.schemas import OpenApiSchema

from assets.accounts.models import ExternalIdentity, User
from assets.accounts.registration.tokens import create_token
from assets.compute.models import FailureReport
from tests.files.everything import make_everything
from tests.properties import profiles  # noqa: F401  how hard hypothesis searches

# Who asks, and as which user.
ROLES = {"admin": "ada", "member": "alice", "viewer": "victor", "stranger": "bob", "unknown": ""}
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
def known(shared_rows) -> dict[str, str]:
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
        "logs": str(failed),
        "task/{key}/logs": str(failed),
        "users": "victor",
        "users-awaiting-approval": identity.username,
    }


@pytest.fixture
def headers_of(request):
    """Return the headers by which somebody of a role is known."""

    def make(role: str) -> dict[str, str]:
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
