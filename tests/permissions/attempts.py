"""What can be done, how it is sent through each interface, and how one sees what came of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.http import HttpResponse
from django.test import Client

from assets.accounts.models import Role
from assets.execution.queries.approvals import tasks_on_data_of
from tests import builders
from tests.admin.interface import admin_url
from tests.pages.interface import PagesInterface
from tests.rules.interfaces import ApiInterface
from tests.rules.requests import Cancel, Link, Rename, Tasks

from .consortia import Consortium
from .oracle import ANONYMOUS, DONE, REFUSED, What

FORMS = PagesInterface(Client)
API = ApiInterface(lambda user: None)
WRITERS = ("api", "pages", "admin")

# Kind: the API's name, the list's and the page's, the admin's.
NAMES = {
    "dataset": ("data_manager", "datasets", "dataset"),
    "sample": ("data_sample", "data-samples", "datasample"),
    "function": ("function", "functions", "function"),
    "plan": ("compute_plan", "compute-plans", "computeplan"),
    "task": ("task", "tasks", "task"),
}


@dataclass(frozen=True)
class Attempt:
    """One thing that somebody may want, and what must be its right to it."""

    right: str
    kinds: tuple[str, ...]
    interfaces: tuple[str, ...]
    # Sends it: by the interface, with the client, about these things.
    send: Callable[[Consortium, str, Any, tuple[What, ...]], str]


def outcome(answer: HttpResponse, *, found: bool = True) -> str:
    """Read an answer; `found` says whether a page has what was asked for."""
    to = answer.headers.get("Location", "")
    if answer.status_code == 401 or to.startswith(("/sign-in/", "/admin/login/")):
        return ANONYMOUS
    if answer.status_code in (200, 201, 204) and answer.request["REQUEST_METHOD"] == "GET":
        return DONE if found else REFUSED
    of_form = not answer.request["PATH_INFO"].startswith("/api/")
    if of_form:
        # A form leads on once it wrote; back to itself it shows why it did not.
        back = to.partition("?")[0] == answer.request["PATH_INFO"]
        secret = answer.status_code == 200 and b"shown once" in answer.content.lower()
        return DONE if (answer.status_code == 302 and not back) or secret else REFUSED
    return DONE if answer.status_code < 300 else REFUSED


def holds(answer: HttpResponse, text: Any) -> str:
    body = answer.getvalue() if answer.streaming else answer.content
    return outcome(answer, found=str(text).encode() in body)


def get_list(_: Consortium, interface: str, client: Any, whats: tuple[What, ...]) -> str:
    api, page, model = NAMES[whats[0].kind]
    key = whats[0].row.pk
    urls = {
        "api": f"/api/{api}/?key={key}",
        "pages": f"/{page}/?q={key}",
        "admin": f"{admin_url(model, 'changelist')}?q={key}",
    }
    return holds(client.get(urls[interface]), f'"{key}"' if interface == "api" else f"{key}/")


def get_export(_: Consortium, interface: str, client: Any, whats: tuple[What, ...]) -> str:
    page = NAMES[whats[0].kind][1]
    return holds(
        client.get(f"/{page}/?export=csv&columns=key&q={whats[0].row.pk}"), whats[0].row.pk
    )


def _detail(interface: str, what: What) -> str:
    api, page, model = NAMES[what.kind]
    return {
        "api": f"/api/{api}/{what.row.pk}/",
        "pages": f"/{page}/{what.row.pk}/",
        "admin": admin_url(model, "change", what.row.pk),
    }[interface]


def get_detail(_: Consortium, interface: str, client: Any, whats: tuple[What, ...]) -> str:
    return holds(client.get(_detail(interface, whats[0])), whats[0].row.pk)


def get_content(_: Consortium, interface: str, client: Any, whats: tuple[What, ...]) -> str:
    """What a data sample holds is known by its checksum."""
    return holds(client.get(_detail(interface, whats[0])), whats[0].row.checksum)


FILES = {
    "dataset": ("opener", "description"),
    "function": ("file", "description"),
    "model": ("file",),
    "task logs": ("logs",),
    "function logs": ("logs",),
}


def get_file(found: Consortium, interface: str, client: Any, whats: tuple[What, ...]) -> str:
    """The bytes, or the link that leads to them."""
    what = whats[0]
    name = found.random.choice(FILES[what.kind])
    url, page, model, key = _file(what, name)
    if interface in ("api", "session"):
        answer = client.get(url)
        if answer.streaming:
            answer.getvalue()
        return outcome(answer)
    if interface == "pages":
        return holds(client.get(page), f'href="{url}"')
    shown = url if what.kind != "task logs" else f"/api/logs/{what.row.task_id}/file/"
    return holds(client.get(admin_url(model, "change", key)), f'href="{shown}"')


def _file(what: What, name: str) -> tuple[str, str, str, Any]:
    """Its address, the page that shows it, and the model and key that the admin shows it at."""
    row = what.row
    if what.kind == "model":
        return f"/api/model/{row.pk}/file/", f"/tasks/{row.task_id}/", "model", row.pk
    if what.kind == "task logs":
        url, page = f"/api/task/{row.task_id}/logs/", f"/tasks/{row.task_id}/"
        return url, page, "failurereport", row.pk
    if what.kind == "function logs":
        return f"/api/logs/{row.function_id}/file/", "", "failurereport", row.pk
    api, page, model = NAMES[what.kind]
    return f"/api/{api}/{row.pk}/{name}/", f"/{page}/{row.pk}/", model, row.pk


def get_inside(_: Consortium, interface: str, client: Any, whats: tuple[What, ...]) -> str:
    return outcome(client.get(f"/functions/{whats[0].row.pk}/files/Dockerfile"))


def _write(interface: str, client: Any, request: Any) -> str:
    if interface == "api":
        return outcome(API.post(request, client))
    form = FORMS.form if interface == "pages" else FORMS.admin.form
    return outcome(client.post(*form(request)))


def rename(_: Consortium, interface: str, client: Any, whats: tuple[What, ...]) -> str:
    return _write(interface, client, Rename(whats[0].row, f"Name {uuid4()}"))


def link(_: Consortium, interface: str, client: Any, whats: tuple[What, ...]) -> str:
    dataset, sample = whats
    return _write(interface, client, Link([dataset.row.pk], [sample.row.pk]))


def cancel(_: Consortium, interface: str, client: Any, whats: tuple[What, ...]) -> str:
    return _write(interface, client, Cancel(whats[0].row.pk))


def add_task(found: Consortium, interface: str, client: Any, whats: tuple[What, ...]) -> str:
    plan = whats[0]
    function = builders.make_function(plan.row.creator, inputs=(), permissions=builders.PUBLIC)
    spec = builders.aggregate_task(function, plan.owner, compute_plan_key=plan.row.pk)
    return _write(interface, client, Tasks([spec]))


def use(found: Consortium, interface: str, client: Any, whats: tuple[What, ...]) -> str:
    """A plan with a task that runs the function on the dataset."""
    function, dataset = whats
    samples = found.samples[dataset.row.pk]
    task = builders.training_task(dataset.row, samples, function.row)
    return _write(interface, client, builders.plan_spec(tasks=(task,)))


def register(_: Consortium, interface: str, client: Any, whats: tuple[What, ...]) -> str:
    return _write(interface, client, builders.dataset_spec())


def add_sample(_: Consortium, interface: str, client: Any, whats: tuple[What, ...]) -> str:
    archives = {"part": builders.upload(builders.zip_of({"a": b"1"}), "a.zip")}
    spec = builders.DataSampleSpec([whats[0].row.pk], archives)
    return _write(interface, client, spec)


def get_user(_: Consortium, interface: str, client: Any, whats: tuple[What, ...]) -> str:
    user = whats[0].row
    urls = {
        "api": f"/api/users/{user.username}/",
        "pages": f"/users/{user.pk}/",
        "admin": admin_url("user", "change", user.pk),
    }
    return _seen(client.get(urls[interface]), user.username)


def _seen(answer: HttpResponse, name: str) -> str:
    # The admin leads whoever may not see a row to its index.
    if answer.status_code == 302 and answer["Location"] == "/admin/":
        return REFUSED
    return holds(answer, name)


def list_users(_: Consortium, interface: str, client: Any, whats: tuple[What, ...]) -> str:
    name = whats[0].row.username
    urls = {
        "api": f"/api/users/?match={name}",
        "pages": f"/users/?export=csv&columns=username&q={name}",
        "admin": f"{admin_url('user', 'changelist')}?q={name}",
    }
    message = f">{name}</a>" if interface == "admin" else name
    answer = client.get(urls[interface])
    if interface == "api" and answer.status_code == 200:
        return DONE if answer.json()["count"] else REFUSED
    return holds(answer, message)


def change_role(_: Consortium, interface: str, client: Any, whats: tuple[What, ...]) -> str:
    user = whats[0].row
    if interface == "api":
        return outcome(
            client.put(f"/api/users/{user.username}/", {"role": "VIEWER"}, format="json")
        )
    sent = {"role": Role.VIEWER, "is_active": "on"}
    if interface == "pages":
        # The page leads to itself once it wrote.
        answer = client.post(f"/users/{user.pk}/", {"role": Role.VIEWER})
        user.refresh_from_db()
        return DONE if user.role == Role.VIEWER else outcome(answer)
    return outcome(client.post(admin_url("user", "edit", user.pk), sent))


def reset(_: Consortium, interface: str, client: Any, whats: tuple[What, ...]) -> str:
    user = whats[0].row
    if interface == "api":
        return outcome(client.post(f"/api/users/{user.username}/reset_password/"))
    answer = client.post(f"/users/{user.pk}/reset/")
    made = answer.status_code == 200 and b"/set-password/" in answer.content
    return DONE if made or b"/password/" in answer.content else outcome(answer)


def audit(_: Consortium, interface: str, client: Any, whats: tuple[What, ...]) -> str:
    return outcome(client.get("/audit/"))


def read_event(_: Consortium, interface: str, client: Any, whats: tuple[What, ...]) -> str:
    if interface == "admin":
        return _seen(client.get(admin_url("event", "change", whats[0].row.pk)), whats[0].name)
    return holds(client.get(f"/audit/?export=json&columns=asset&q={whats[0].name}"), whats[0].name)


def see_waiting(_: Consortium, interface: str, client: Any, whats: tuple[What, ...]) -> str:
    url = (
        "/api/users-awaiting-approval/?page_size=100" if interface == "api" else "/users/awaiting/"
    )
    return holds(client.get(url), whats[0].name)


def add_organization(_: Consortium, interface: str, client: Any, whats: tuple[What, ...]) -> str:
    url = "/organisations/new/" if interface == "pages" else admin_url("organization", "add")
    return outcome(client.post(url, {"id": f"New{uuid4()}", "name": "New"}))


def see_runner(_: Consortium, interface: str, client: Any, whats: tuple[What, ...]) -> str:
    runner = whats[0]
    page = f"/runners/{runner.row.pk}/"
    url = page if interface == "pages" else admin_url("runner", "change", runner.row.pk)
    return _seen(client.get(url), runner.name)


def add_runner(_: Consortium, interface: str, client: Any, whats: tuple[What, ...]) -> str:
    url = "/runners/new/" if interface == "pages" else admin_url("runner", "add")
    answer = client.post(url, {"name": f"n-{uuid4()}"})
    return DONE if b"token-secret" in answer.content else outcome(answer)


def revoke_runner(_: Consortium, interface: str, client: Any, whats: tuple[What, ...]) -> str:
    key = whats[0].row.pk
    page = f"/runners/{key}/revoke/"
    return outcome(
        client.post(page if interface == "pages" else admin_url("runner", "revoke", key))
    )


def choose_policy(_: Consortium, interface: str, client: Any, whats: tuple[What, ...]) -> str:
    return outcome(client.post("/runners/policy/", {"policy": "all"}))


def approve(_: Consortium, interface: str, client: Any, whats: tuple[What, ...]) -> str:
    owner, plan = whats[0].owner, whats[0].row.pk
    digest = tasks_on_data_of(str(owner), plan).digest
    return outcome(client.post(f"/compute-plans/{plan}/approval/", {"digest": digest}))


def decline(_: Consortium, interface: str, client: Any, whats: tuple[What, ...]) -> str:
    url = f"/compute-plans/{whats[0].row.pk}/decline/"
    return outcome(client.post(url, {"reason": "Ask first."}))


# Columns that no list shows to everybody, as lookups; and what they hold.
HIDDEN: dict[str, dict[str, Callable[[Any], str]]] = {
    "dataset": {"opener__startswith": lambda row: row.opener.name},
    "sample": {
        "checksum__startswith": lambda row: row.checksum,
        "checksum": lambda row: row.checksum,
        "archive__contains": lambda row: row.archive.name,
    },
    "plan": {
        "creator__username__startswith": lambda row: row.creator.username,
        "creator__username__regex": lambda row: f"^{row.creator.username}",
        "creator__password__gt": lambda row: "",
        "creator": lambda row: str(row.creator_id),
    },
    "task": {
        "compute_plan__creator__username": lambda row: row.compute_plan.creator.username,
    },
}


def guess(found: Consortium, interface: str, client: Any, whats: tuple[What, ...]) -> str:
    """A list that has the row for the right value only gives the value away."""
    what = whats[0]
    api, page, model = NAMES[what.kind]
    url = {"api": f"/api/{api}/", "pages": f"/{page}/", "admin": admin_url(model, "changelist")}
    lookup, value = found.random.choice(list(HIDDEN[what.kind].items()))
    answers = [client.get(url[interface], {lookup: text}) for text in (value(what.row), "~")]
    if outcome(answers[0]) == ANONYMOUS:
        return ANONYMOUS
    right, wrong = (str(what.row.pk).encode() in answer.content for answer in answers)
    return DONE if right and not wrong else REFUSED


ASSETS = tuple(NAMES)
READERS = ("api", "pages", "admin")
ATTEMPTS = {
    **{f"list {kind}": Attempt("read", (kind,), READERS, get_list) for kind in ASSETS},
    **{f"see {kind}": Attempt("read", (kind,), READERS, get_detail) for kind in ASSETS},
    **{f"guess of {kind}": Attempt("guess", (kind,), READERS, guess) for kind in HIDDEN},
    "export datasets": Attempt("read", ("dataset",), ("pages",), get_export),
    "export plans": Attempt("read", ("plan",), ("pages",), get_export),
    **{
        f"download {kind}": Attempt("download", (kind,), (*READERS, "session"), get_file)
        for kind in ("dataset", "function", "model", "task logs")
    },
    "download function logs": Attempt(
        "download", ("function logs",), ("api", "session", "admin"), get_file
    ),
    "read a file of an archive": Attempt("download", ("function",), ("pages",), get_inside),
    "look into a sample": Attempt("look inside", ("sample",), ("pages", "admin"), get_content),
    "register a dataset": Attempt("register", ("dataset",), WRITERS, register),
    "add a sample": Attempt("change", ("dataset",), WRITERS, add_sample),
    **{
        f"rename {kind}": Attempt("change", (kind,), WRITERS, rename)
        for kind in ("dataset", "function", "plan")
    },
    "link": Attempt("change", ("dataset", "sample"), WRITERS, link),
    "cancel": Attempt("change", ("plan",), WRITERS, cancel),
    "add a task": Attempt("change", ("plan",), WRITERS, add_task),
    "use": Attempt("use", ("function", "dataset"), WRITERS, use),
    "see a user": Attempt("colleague", ("user",), READERS, get_user),
    "list a user": Attempt("colleague", ("user",), READERS, list_users),
    "change a role": Attempt("manage", ("user",), WRITERS, change_role),
    "reset a password": Attempt("manage", ("user",), ("api", "pages"), reset),
    "open the audit trail": Attempt("audit", ("event",), ("pages",), audit),
    "read an event": Attempt("read event", ("event",), ("pages", "admin"), read_event),
    "see who waits": Attempt("let in", ("waiting",), ("api", "pages"), see_waiting),
    "see a runner": Attempt("watch", ("runner",), ("pages", "admin"), see_runner),
    "add a runner": Attempt("lead", ("runner",), ("pages", "admin"), add_runner),
    "revoke a runner": Attempt("revoke", ("runner",), ("pages", "admin"), revoke_runner),
    "choose what runners run": Attempt("lead", ("runner",), ("pages",), choose_policy),
    "approve": Attempt("decide", ("awaited plan",), ("pages",), approve),
    "decline": Attempt("decide", ("awaited plan",), ("pages",), decline),
    "add an organisation": Attempt(
        "add organisation", ("event",), ("pages", "admin"), add_organization
    ),
}
