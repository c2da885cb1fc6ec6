"""A good request to every operation succeeds, and its answer is as the description says."""

import hashlib
import json
import re
from uuid import uuid4

import pytest

from assets.accounts.models import ApiToken, User
from assets.accounts.registration.passwords import create_reset_token
from tests import builders
from tests.cast import PASSWORD

from .conftest import RUNNER, key_for
from .test_described import OPERATIONS, answer_of

pytestmark = pytest.mark.django_db

NAME = {"name": "Another"}
NEW_PASSWORD = "another-horse-battery"
WEIGHTS = b"weights"
STEP = {"step": "save_outputs", "duration": 5}
FUTURE = "2999-01-01T00:00:00Z"


def _task(known) -> dict:
    task = {"key": str(uuid4()), "function_key": known["function"], "worker": "MyOrg1MSP"}
    inputs = [{"identifier": "opener", "asset_key": known["data_manager"]}]
    inputs += [{"identifier": "datasamples", "asset_key": known["data_sample"]}]
    outputs = {"model": {"permissions": {"public": True, "authorized_ids": []}}}
    return {**task, "inputs": inputs, "outputs": outputs, "metadata": {}}


def _function(known) -> dict:
    files = {"file": builders.zip_of(builders.CODE), "description": b"# Text"}
    return {**NAME, **files}


# The body of an operation, made of what is known; others need none.
BODIES = {
    "POST /api/api-token/": lambda known: {"expires_at": FUTURE, "note": "x"},
    "POST /api/api-token-auth/": lambda known: {"username": "victor", "password": PASSWORD},
    "POST /api/compute_plan/": lambda known: {"key": str(uuid4()), **NAME, "tasks": [_task(known)]},
    "PUT /api/compute_plan/{key}/": lambda known: NAME,
    "POST /api/compute_plan/{key}/tasks/": lambda known: {"tasks": [_task(known)]},
    "POST /api/task/bulk_create/": lambda known: {"tasks": [_task(known)]},
    "POST /api/data_manager/": lambda known: {**NAME, "data_opener": b"x", "description": b"x"},
    "PUT /api/data_manager/{key}/": lambda known: NAME,
    "POST /api/data_sample/": lambda known: {
        "data_manager_keys": [known["data_manager"]],
        "file": builders.zip_of({"a": b"1"}),
    },
    "POST /api/data_sample/bulk_update/": lambda known: {
        "data_manager_keys": [known["data_manager"]],
        "data_sample_keys": [known["data_sample"]],
    },
    "POST /api/function/": _function,
    "PUT /api/function/{key}/": lambda known: NAME,
    "POST /api/users/": lambda known: {"username": "new", "password": NEW_PASSWORD, "role": "USER"},
    "PUT /api/users/{username}/": lambda known: {"role": "ADMIN"},
    "PUT /api/users/{username}/password/": lambda known: {"password": NEW_PASSWORD},
    "POST /api/users/{username}/set_password/": lambda known: {
        "token": create_reset_token(User.objects.get(username="victor")),
        "password": NEW_PASSWORD,
    },
    "POST /api/task_profiling/": lambda known: {
        "compute_task_key": known["task"],
        "execution_rundown": [STEP],
    },
    "PUT /api/task_profiling/{key}/": lambda known: {"execution_rundown": [STEP]},
    "POST /api/task_profiling/{key}/step/": lambda known: STEP,
    "PUT /api/task_profiling/{key}/step/{step}/": lambda known: {"duration": 5},
    "POST /api/trial/": lambda known: {
        "function_key": known["function"],
        "dataset_key": known["data_manager"],
    },
    "POST /api/runner/claim/": lambda known: {"jobs": 2, "version": "1", "engine": "process"},
    "POST /api/runner/renew/": lambda known: {"jobs": [known["runner/job"], str(uuid4())]},
    "PUT /api/runner/job/{key}/model/{model}/": lambda known: WEIGHTS,
    "POST /api/runner/job/{key}/steps/": lambda known: {"steps": {"task_execution": 5}},
    "POST /api/runner/job/{key}/finish/": lambda known: {"performances": {"performance": 0.5}},
    "POST /api/runner/job/{key}/fail/": lambda known: {"error_type": "INTERNAL_ERROR"},
    "PUT /api/users-awaiting-approval/": lambda known: {"role": "VIEWER"},
    "PUT /api/users-awaiting-approval/{username}/": lambda known: {"role": "VIEWER"},
}
QUERIES = {
    "PUT /api/runner/job/{key}/model/{model}/": lambda known: {
        "identifier": "model",
        "checksum": hashlib.sha256(WEIGHTS).hexdigest(),
        "size": len(WEIGHTS),
    },
    "GET /api/users/{username}/verify_token/": lambda known: {
        "token": create_reset_token(User.objects.get(username="victor"))
    },
    "DELETE /api/active-api-tokens/": lambda known: {
        "id": str(ApiToken.objects.latest("created_at").pk)
    },
    "PUT /api/users-awaiting-approval/": lambda known: {
        "username": known["users-awaiting-approval"]
    },
    "DELETE /api/users-awaiting-approval/": lambda known: {
        "username": known["users-awaiting-approval"]
    },
}
# No one builds the image of a function yet.
GONE = ("GET", "/api/function/{key}/image/")


def _who(path: str) -> str:
    """Return who may do it."""
    if path.startswith("/api/runner/") or path == "/api/data_sample/{key}/file/":
        return RUNNER
    return "viewer" if path.endswith("/password/") else "admin"


def _media_type(body) -> str:
    if isinstance(body, bytes):
        return "application/octet-stream"
    has_file = any(isinstance(value, bytes) for value in body.values())
    return "multipart/form-data" if has_file else "application/json"


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_what_is_right_succeeds_as_described(api, known, headers_of, method, path):
    name, operation = f"{method} {path}", api[path][method]
    headers = headers_of(_who(path))
    sent = {"query": QUERIES[name](known)} if name in QUERIES else {}
    if name in BODIES:
        body = BODIES[name](known)
        media_type = _media_type(body)
        sent |= {"body": body, "media_type": media_type}
    if "{" in path:
        parameters = re.findall(r"{(\w+)}", path)
        sent["path_parameters"] = dict.fromkeys(parameters, key_for(path, known))
        if "step" in parameters:
            sent["path_parameters"]["step"] = STEP["step"]
    answer = answer_of(operation.Case(**sent), headers)
    expected = (410,) if (method, path) == GONE else (200, 201, 204)
    assert answer.status_code in expected, json.dumps(answer.text[:500])
