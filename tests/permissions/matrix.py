"""Who gets which answer from which endpoint: the whole API in one table.

A column is somebody who asks, a row an endpoint. All assets belong to A. Where the answer depends
on an asset's permissions, the row names a table by visibility instead of one line.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from assets.accounts.registration.passwords import create_reset_token
from tests import builders

from .consortium import Assets

#           of A: member admin viewer   of B: member viewer   of C: member
ACTORS = ("owner", "admin", "viewer", "authorised", "its viewer", "unauthorised",
          "superuser", "anonymous", "expired", "inactive")  # fmt: skip
# Those who act for no organisation, or for no one: if anything, it is public assets that they get.
OUTSIDERS = ACTORS[6:]


def line(inside: str, outside: str = "403 401 401 401") -> dict[str, int]:
    statuses = [int(status) for status in f"{inside} {outside}".split()]
    return dict(zip(ACTORS, statuses, strict=True))


# What differs by visibility.
DOWNLOAD = {
    "public": line("200 200 200  200 200  200"),
    "shared": line("200 200 200  200 200  403"),
    "private": line("200 200 200  403 403  403"),
}
# There is no image yet, which only those who could have it see.
GONE = {
    visibility: {actor: 410 if status == 200 else status for actor, status in statuses.items()}
    for visibility, statuses in DOWNLOAD.items()
}
# Use in a task: what the organisation may, but for its viewers, who register nothing.
USE = {
    "public": line("201 201 403  201 403  201"),
    "shared": line("201 201 403  201 403  403"),
    "private": line("201 201 403  403 403  403"),
}
# Dry runs of organisations without a runner.
TRY = {
    visibility: {actor: 400 if status == 201 else status for actor, status in statuses.items()}
    for visibility, statuses in USE.items()
}
# What does not.
READ = line("200 200 200  200 200  200")
OWN = line("200 200 200  403 403  403")
REGISTER = line("201 201 403  201 403  201")
CHANGE = line("200 200 403  403 403  403")
ADD_TO = line("201 201 403  403 403  403")
OPEN = line("200 200 200  200 200  200", "200 200 200 200")
# Open to whoever sends no token; an invalid token is answered so.
NO_TOKEN_NEEDED = line("200 200 200  200 200  200", "200 200 401 401")
# What only runners may, whose tokens no user has.
RUNNERS = line("401 401 401  401 401 401", "401 401 401 401")
OWN_COLLEAGUES = line("200 200 200  404 404  404")
ITSELF = line("403 403 200  404 404  404")
# Of the users of the table, only A has an admin.
ADMIN = line("403 200 403  403 403  403")
ADMIN_CREATES = line("403 201 403  403 403  403")
ADMIN_MISSES = line("403 404 403  403 403  403")
ADMIN_DELETES = line("403 204 403  403 403  403")

Body = Callable[["Asked"], Any]


@dataclass(frozen=True)
class Asked:
    """What a row may speak of: the assets of one visibility, and the users."""

    assets: Assets
    users: dict[str, Any]


@dataclass(frozen=True)
class Row:
    """One endpoint with one method: the answers, and what is sent."""

    name: str
    method: str
    expected: dict[str, Any]
    kwargs: Callable[[Assets], dict[str, Any]] = lambda assets: {}
    body: Body = lambda asked: None
    format: str = "json"
    query: Body = lambda asked: ""
    note: str = ""

    @property
    def label(self) -> str:
        return f"{self.method.upper()} {self.name} {self.note}".strip()

    def status(self, actor: str, visibility: str) -> int:
        expected = self.expected if actor in self.expected else self.expected[visibility]
        return expected[actor]


def of(kind: str) -> Callable[[Assets], dict[str, Any]]:
    return lambda assets: {"key": getattr(assets, kind).key}


def rows_of(name: str, kind: str, *, renames: bool = True) -> list[Row]:
    """List, retrieve and, where there is a name, rename."""
    found = [Row(f"{name}-list", "get", READ), Row(f"{name}-detail", "get", READ, of(kind))]
    if renames:
        found.append(Row(f"{name}-detail", "put", CHANGE, of(kind), lambda asked: {"name": "b"}))
    return found


STEP = {"step": "save_outputs", "duration": 1}
VICTOR = {"kwargs": lambda assets: {"username": "victor"}}
NEW_PASSWORD = "a long and winding road"


def _job(_: Assets) -> dict[str, Any]:
    return {"key": uuid4()}


def _task_of_a(asked: Asked) -> builders.TaskSpec:
    """A task that runs A's function on A's data."""
    assets = asked.assets
    return builders.training_task(assets.dataset, [assets.sample], assets.function)


def _tasks_of_a_plan(asked: Asked) -> dict[str, Any]:
    return {"tasks": [builders.wire_task(_task_of_a(asked), asked.assets.plan.key)]}


def _plan(*tasks: builders.TaskSpec) -> dict[str, Any]:
    return builders.wire_plan(builders.plan_spec(tasks=tasks))


def _sample(asked: Asked) -> dict[str, Any]:
    archives = {"part": builders.upload(builders.zip_of({"a": b"1"}))}
    spec = builders.DataSampleSpec([asked.assets.dataset.key], archives)
    return builders.wire_samples(spec)


def _trial(asked: Asked) -> dict[str, Any]:
    assets = asked.assets
    return {"function_key": str(assets.function.key), "dataset_key": str(assets.dataset.key)}


def _link(asked: Asked) -> dict[str, Any]:
    return {
        "data_manager_keys": [str(asked.assets.dataset.key)],
        "data_sample_keys": [str(asked.assets.sample.key)],
    }


def _new_user(asked: Asked) -> dict[str, Any]:
    return {"username": f"new-{uuid4()}", "password": NEW_PASSWORD, "role": "USER"}


def _reset(asked: Asked) -> str:
    return create_reset_token(asked.users["victor"])


ROWS = [
    Row("api-root", "get", READ),
    Row("liveness", "get", OPEN),
    Row("readiness", "get", OPEN),
    Row("info", "get", NO_TOKEN_NEEDED),
    Row("organization", "get", READ),
    Row("compute_plan_metadata", "get", READ),
    Row("news_feed-list", "get", READ),
    Row("performance-list", "get", READ),
    Row("performance-export", "get", READ),
    # Datasets and their samples
    *rows_of("data_manager", "dataset"),
    Row("data_manager-list", "post", REGISTER, format="multipart",
        body=lambda asked: builders.wire_dataset(builders.dataset_spec())),
    Row("data_manager-opener", "get", DOWNLOAD, of("dataset")),
    Row("data_manager-description", "get", DOWNLOAD, of("dataset")),
    *rows_of("data_sample", "sample", renames=False),
    Row("data_sample-list", "post", ADD_TO, body=_sample, format="multipart"),
    Row("data_sample-file", "get", RUNNERS, of("sample")),
    Row("data_sample-look", "get", OWN, of("sample_at_runner")),
    Row("data_sample-look", "post", CHANGE, of("sample_at_runner")),
    Row("data_sample-bulk-update", "post", CHANGE, body=_link),
    # Functions
    *rows_of("function", "function"),
    Row("function-list", "post", REGISTER, format="multipart",
        body=lambda asked: builders.wire_function(builders.function_spec())),
    Row("function-file", "get", DOWNLOAD, of("function")),
    Row("function-description", "get", DOWNLOAD, of("function")),
    Row("function-image", "get", GONE, of("function")),
    Row("function-profiling", "get", READ, of("function")),
    # Dry runs: one's own organisation's only. There is no runner, so none can be begun.
    Row("trial-list", "get", READ),
    Row("trial-list", "post", TRY, body=_trial),
    Row("trial-detail", "get", OWN_COLLEAGUES, of("trial")),
    # Plans and tasks
    *rows_of("compute_plan", "plan"),
    Row("compute_plan-list", "post", REGISTER, body=lambda asked: _plan(), note="without tasks"),
    Row("compute_plan-list", "post", USE, body=lambda asked: _plan(_task_of_a(asked)),
        note="with a task of A's"),
    Row("compute_plan-cancel", "post", CHANGE, of("plan")),
    Row("compute_plan-tasks", "post", CHANGE, of("plan"), _tasks_of_a_plan),
    Row("compute_plan-task", "get", READ, of("plan")),
    Row("compute_plan-functions", "get", READ, of("plan")),
    Row("compute_plan-perf", "get", READ, of("plan")),
    Row("compute_plan-workflow-graph", "get", READ, of("plan")),
    *rows_of("task", "done", renames=False),
    Row("task-bulk-create", "post", CHANGE, body=_tasks_of_a_plan),
    Row("task-input-assets", "get", READ, of("done")),
    Row("task-output-assets", "get", READ, of("done")),
    Row("task-logs", "get", DOWNLOAD, of("failed")),
    Row("logs-file", "get", DOWNLOAD, of("failed"), note="of a task"),
    Row("logs-file", "get", DOWNLOAD, of("function"), note="of a function"),
    *rows_of("task_profiling", "done", renames=False),
    Row("task_profiling-list", "post", ADD_TO,
        body=lambda asked: {"compute_task_key": str(asked.assets.done.key)}),
    Row("task_profiling-detail", "put", CHANGE, of("done"),
        lambda asked: {"execution_rundown": [STEP]}),
    Row("task_profiling-add-step", "post", ADD_TO, of("done"), lambda asked: STEP),
    Row("task_profiling-change-step", "put", CHANGE,
        lambda assets: {"key": assets.done.key, "step": STEP["step"]},
        lambda asked: {"duration": 1}),
    *rows_of("model", "model", renames=False),
    Row("model-file", "get", DOWNLOAD, of("model")),
    # Tokens: one's own only
    *(Row(f"runner-{name}", "post", RUNNERS) for name in ("claim", "renew")),
    Row("runner-job-function", "get", RUNNERS, _job),
    Row("runner-job-model", "get", RUNNERS, lambda _: {**_job(_), "model": uuid4()}),
    Row("runner-job-model", "put", RUNNERS, lambda _: {**_job(_), "model": uuid4()}),
    *(Row(f"runner-job-{name}", "post", RUNNERS, _job)
      for name in ("steps", "finish", "fail", "give-back")),

    Row("api-token-auth", "post", OPEN,
        body=lambda asked: {"username": "alice", "password": asked.users["password"]}),
    Row("api-token", "post", READ, body=lambda asked: {"expires_at": "2999-01-01T00:00:00Z"}),
    Row("active-api-tokens", "get", READ),
    Row("active-api-tokens", "delete", line("200 404 404  404 404  404"),
        query=lambda asked: f"?id={asked.users['alice'].api_tokens.first().pk}"),
    # People who await approval: no one does here
    Row("users-awaiting-approval-list", "get", ADMIN),
    Row("users-awaiting-approval-list", "put", ADMIN_MISSES,
        query=lambda asked: "?username=victor", body=lambda asked: {"role": "USER"}),
    Row("users-awaiting-approval-list", "delete", ADMIN_MISSES,
        query=lambda asked: "?username=victor"),
    Row("users-awaiting-approval-detail", "put", ADMIN_MISSES, **VICTOR,
        body=lambda asked: {"role": "USER"}),
    Row("users-awaiting-approval-detail", "delete", ADMIN_MISSES, **VICTOR),
    # Users: of one's own organisation only
    Row("user-list", "get", READ),
    Row("user-list", "post", ADMIN_CREATES, body=_new_user),
    Row("user-detail", "get", OWN_COLLEAGUES, **VICTOR),
    Row("user-detail", "put", ADMIN, body=lambda asked: {"role": "USER"}, **VICTOR),
    Row("user-detail", "delete", ADMIN_DELETES, **VICTOR),
    Row("user-password", "put", ITSELF, body=lambda asked: {"password": NEW_PASSWORD}, **VICTOR),
    Row("user-reset-password", "post", ADMIN, **VICTOR),
    Row("user-verify-token", "get", NO_TOKEN_NEEDED,
        query=lambda asked: f"?token={_reset(asked)}", **VICTOR),
    Row("user-set-password", "post", NO_TOKEN_NEEDED, **VICTOR,
        body=lambda asked: {"token": _reset(asked), "password": NEW_PASSWORD}),
]  # fmt: skip
