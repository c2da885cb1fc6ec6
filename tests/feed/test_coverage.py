"""Everything that can happen, by every interface, is one event of the trail.

A row says who does what how; the test finds, among the events with the address of the request,
exactly one that records it.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.signals import user_logged_in
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from rest_framework.test import APIClient

from assets.accounts.models import ExternalIdentity
from assets.accounts.registration.failed_sign_ins import count_failure
from assets.accounts.registration.passwords import create_reset_token
from assets.accounts.registration.runners import create_runner
from assets.accounts.registration.tokens import create_token
from assets.compute.statuses import TaskStatus
from assets.execution.models import RunPolicy
from assets.execution.queries.approvals import tasks_on_data_of
from assets.feed.models import Event
from assets.feed.receivers import signed_in
from tests import builders
from tests.admin.interface import admin_url
from tests.cast import PASSWORD
from tests.pages.interface import PagesInterface
from tests.rules.interfaces import ApiInterface
from tests.rules.requests import Cancel, Link, Rename, Tasks

ADDRESS = "10.20.30.40"
NEW_PASSWORD = "a long and winding road 9"
FORMS, API = PagesInterface(Client), ApiInterface(lambda user: None)

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Act:
    """What somebody does by an interface, and the event that must record it."""

    name: str
    who: str
    do: Callable[["Stage"], Any]
    action: str
    kind: str
    result: str = "done"
    # Who is named, unless it is `who`; and whose admins read it, unless they are its own.
    actor: str | None = None
    of: str | None = "MyOrg1MSP"
    count: int = 1


class Stage:
    """The cast, what it has, and by what it asks."""

    def __init__(self, who: str, request: Any) -> None:
        self.who, self.request = who, request
        self.users = {
            name: request.getfixturevalue(name)
            for name in ("alice", "ada", "victor", "bob", "root")
        }
        alice = self.users["alice"]
        self.dataset = builders.make_dataset(alice)
        self.other = builders.make_dataset(alice, name="Scans")
        self.sample = builders.make_samples(alice, self.dataset.key)[0]
        self.function = builders.make_function(alice)
        spec = builders.training_task(self.dataset, [self.sample], self.function)
        self.plan = builders.make_plan(alice, spec)
        self.task = UUID(str(spec.key))
        self.settings = request.getfixturevalue("settings")

    @property
    def user(self) -> Any:
        return self.users[self.who]

    @property
    def browser(self) -> Client:
        browser = Client(REMOTE_ADDR=ADDRESS)
        # Signing in without a password is no event of the test's.
        user_logged_in.disconnect(signed_in)
        try:
            browser.force_login(self.user)
        finally:
            user_logged_in.connect(signed_in)
        return browser

    @property
    def stranger(self) -> Client:
        return Client(REMOTE_ADDR=ADDRESS)

    @property
    def api(self) -> APIClient:
        _, secret = create_token(self.user, expires_at=timezone.now() + timedelta(hours=1))
        return APIClient(HTTP_AUTHORIZATION=f"Token {secret}", REMOTE_ADDR=ADDRESS)

    def send(self, interface: str, request: Any) -> Any:
        if interface == "api":
            return API.post(request, self.api)
        form = FORMS.form if interface == "pages" else FORMS.admin.form
        return self.browser.post(*form(request))

    def task_of(self, **changes: Any) -> Any:
        return builders.training_task(self.dataset, [self.sample], self.function, **changes)


DATASET, SAMPLE, FUNCTION = "ASSET_DATA_MANAGER", "ASSET_DATA_SAMPLE", "ASSET_FUNCTION"
PLAN, TASK, MODEL = "ASSET_COMPUTE_PLAN", "ASSET_COMPUTE_TASK", "ASSET_MODEL"
REPORT = "ASSET_FAILURE_REPORT"


def sample_spec(stage: Stage) -> Any:
    archive = builders.upload(builders.zip_of({"a.csv": b"1"}), "a.zip")
    return builders.DataSampleSpec([stage.dataset.key], {"part": archive})


REQUESTS: dict[str, tuple[Callable[[Stage], Any], str, str]] = {
    "register a dataset": (lambda stage: builders.dataset_spec(), "registered", DATASET),
    "register a sample": (sample_spec, "registered", SAMPLE),
    "register a function": (lambda stage: builders.function_spec(), "registered", FUNCTION),
    "register a plan": (lambda stage: builders.plan_spec(), "registered", PLAN),
    "register a plan with a task": (
        lambda stage: builders.plan_spec(tasks=(stage.task_of(),)),
        "registered",
        TASK,
    ),
    "add a task": (
        lambda stage: Tasks([stage.task_of(compute_plan_key=stage.plan.key)]),
        "registered",
        TASK,
    ),
    "rename a dataset": (lambda stage: Rename(stage.dataset, "New"), "renamed", DATASET),
    "rename a function": (lambda stage: Rename(stage.function, "New"), "renamed", FUNCTION),
    "rename a plan": (lambda stage: Rename(stage.plan, "New"), "renamed", PLAN),
    "link a sample": (
        lambda stage: Link([stage.other.key], [stage.sample.key]),
        "linked",
        SAMPLE,
    ),
    "cancel a plan": (lambda stage: Cancel(stage.plan.key), "canceled", PLAN),
}
OF_ASSETS = [
    Act(
        f"{name} by {interface}",
        "alice",
        lambda s, d=interface, m=make: s.send(d, m(s)),
        action,
        kind,
    )
    for name, (make, action, kind) in REQUESTS.items()
    for interface in ("api", "pages", "admin")
]

# --- Refusals: of forms, whatever their status, and of requests -----------------------------------


def forbidden_task(stage: Stage) -> Any:
    """A task of bob's with what is private to A."""
    return builders.plan_spec(tasks=(stage.task_of(),))


def _refused(name: str, who: str, do: Callable[[Stage], Any]) -> Act:
    of = {"bob": "MyOrg2MSP", "root": None}.get(who, "MyOrg1MSP")
    return Act(f"{name}, refused", who, do, "tried", "request", "refused", of=of)


REFUSED_REQUESTS = {
    **{name: ("victor", make) for name, (make, _, _) in REQUESTS.items()},
    **{
        f"{name} of others": ("bob", REQUESTS[name][0])
        for name in ("rename a dataset", "rename a function", "rename a plan", "cancel a plan")
    },
    "use what is private": ("bob", forbidden_task),
}
REFUSALS = [
    *(
        _refused(f"{name} by {interface}", who, lambda s, d=interface, m=make: s.send(d, m(s)))
        for name, (who, make) in REFUSED_REQUESTS.items()
        for interface in ("api", "pages", "admin")
    ),
    *(
        _refused(
            f"upload {path} as a viewer",
            "victor",
            lambda s, p=path: s.browser.post(
                f"/uploads/{p}/", {"file": builders.upload(builders.OPENER, "o.py")}
            ),
        )
        for path in ("opener", "description", "function", "data-sample")
    ),
    _refused("open the audit trail", "alice", lambda s: s.browser.get("/audit/")),
    _refused("invite", "alice", lambda s: s.browser.get("/users/new/")),
    _refused("add an organisation", "ada", lambda s: s.browser.get("/organisations/new/")),
    _refused("add one in the admin", "ada",
             lambda s: s.browser.get(admin_url("organization", "add"))),
    _refused("add a user in the admin", "alice", lambda s: s.browser.get(admin_url("user", "add"))),
    _refused("create a user", "alice", lambda s: s.api.post("/api/users/", {"username": "x"})),
    _refused("the API without an organisation", "root", lambda s: s.api.get("/api/task/")),
    _refused("a file of an archive", "bob",
             lambda s: s.browser.get(f"/functions/{s.function.key}/files/Dockerfile")),
    _refused("who waits", "alice", lambda s: s.browser.get("/users/awaiting/")),
    _refused("who waits, by the API", "alice",
             lambda s: s.api.get("/api/users-awaiting-approval/")),
    _refused("a token of no organisation", "root", lambda s: s.browser.get("/account/tokens/new/")),
]  # fmt: skip

# --- Downloads ------------------------------------------------------------------------------------


def model_of(stage: Stage) -> str:
    builders.set_status([stage.task], TaskStatus.DONE)
    return f"/api/model/{builders.make_model(stage.task).key}/file/"


def logs_of(stage: Stage, url: str) -> str:
    builders.set_status([stage.task], TaskStatus.FAILED)
    builders.make_failure(b"why", task_id=stage.task)
    return url.format(stage.task)


FILES = {
    "the opener": (lambda s: f"/api/data_manager/{s.dataset.key}/opener/", DATASET),
    "the description": (lambda s: f"/api/data_manager/{s.dataset.key}/description/", DATASET),
    "the archive": (lambda s: f"/api/function/{s.function.key}/file/", FUNCTION),
    "its description": (lambda s: f"/api/function/{s.function.key}/description/", FUNCTION),
    "the model": (model_of, MODEL),
    "the logs": (lambda s: logs_of(s, "/api/task/{}/logs/"), REPORT),
    "the logs, of old": (lambda s: logs_of(s, "/api/logs/{}/file/"), REPORT),
}
DOWNLOADS = [
    Act(
        f"download {name} by {interface}, {result}",
        who,
        lambda s, u=url, d=interface: getattr(s, d).get(u(s)),
        "downloaded",
        kind,
        result,
        of=of,
    )
    for name, (url, kind) in FILES.items()
    for interface in ("api", "browser")
    for who, of, result in (("victor", "MyOrg1MSP", "done"), ("bob", "MyOrg2MSP", "refused"))
]

# --- Signing in and out ---------------------------------------------------------------------------


def by_password(url: str, password: str) -> Callable[[Stage], Any]:
    return lambda s: s.stranger.post(url, {"username": s.who, "password": password})


def by_provider(stage: Stage, **claims: Any) -> Any:
    stage.settings.OIDC_ISSUER = "https://id.example"
    stage.settings.OIDC_LINK_BY = "username"
    known = {"iss": "https://id.example", "sub": "1", "preferred_username": "somebody", **claims}
    patch = stage.request.getfixturevalue("monkeypatch")
    patch.setattr("assets.accounts.oidc.read_claims", lambda request: known)
    return stage.stranger.get("/sign-in/provider/return/")


def known_to_the_provider(stage: Stage) -> Any:
    ExternalIdentity.objects.create(
        issuer="https://id.example", subject="1", username="alice", user=stage.user
    )
    return by_provider(stage)


def locked(stage: Stage) -> Any:
    """Fail for the last time before the lock; what is refused by it is recorded no more."""
    for _ in range(stage.settings.LOGIN_FAILURES_PER_USER - 1):
        count_failure(stage.who, ADDRESS)
    return by_password("/sign-in/", "wrong")(stage)


IN = ("/sign-in/", "/admin/login/", "/api/session/login/", "/api/api-token-auth/")
SIGN_IN = [
    *(Act(f"sign in at {url}", "alice", by_password(url, PASSWORD), "signed_in", "user")
      for url in IN),
    *(Act(f"fail at {url}", "alice", by_password(url, "wrong"), "signed_in", "user", "refused", "")
      for url in IN),
    Act("be locked out", "alice", locked, "signed_in", "user", "refused", ""),
    Act("sign in by the provider", "alice", known_to_the_provider, "signed_in", "user"),
    Act("be unknown to us", "alice", by_provider, "signed_in", "user", "refused", "", None),
    *(Act(f"sign out at {url}", "alice", lambda s, u=url: s.browser.post(u), "signed_out", "user")
      for url in ("/sign-out/", "/admin/logout/", "/api/session/logout/")),
]  # fmt: skip

# --- Users, tokens, second factors, organisations -------------------------------------------------


def with_factor(stage: Stage, user: Any) -> None:
    user.second_factor_at = timezone.now()
    user.save(update_fields=["second_factor_at"])


def factor(stage: Stage, path: str) -> Any:
    with_factor(stage, stage.user)
    return stage.browser.post(f"/account/second-factor/{path}/", {"password": PASSWORD})


def reset_factor(stage: Stage) -> Any:
    with_factor(stage, stage.users["alice"])
    url = reverse("user-factor-reset", args=[stage.users["alice"].pk])
    return stage.browser.post(url)


def by_link(stage: Stage) -> Any:
    link = create_reset_token(stage.user)
    pk = urlsafe_base64_encode(force_bytes(stage.user.pk))
    browser = stage.stranger
    to = browser.get(reverse("set-password", args=[pk, link]))["Location"]
    return browser.post(to, {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD})


def waiting(stage: Stage, path: str, **sent: str) -> Any:
    who = {"issuer": "https://id", "subject": "9", "username": "nina"}
    row = ExternalIdentity.objects.create(**who, organization=stage.user.organization)
    return stage.browser.post(f"/users/awaiting/{row.pk}/{path}", sent)


def own_token(stage: Stage) -> Any:
    return create_token(stage.user, expires_at=timezone.now() + timedelta(days=1))[0]


def alice_s(stage: Stage) -> Any:
    return stage.users["alice"]


def to_alice(how: dict[str, str]) -> Callable[[Stage], Any]:
    return lambda s: s.browser.post(f"/users/{alice_s(s).pk}/", how)


def in_admin(how: dict[str, str]) -> Callable[[Stage], Any]:
    sent = {"role": "member", "is_active": "on", **how}
    return lambda s: s.browser.post(
        admin_url("user", "edit", alice_s(s).pk), {k: v for k, v in sent.items() if v}
    )


NEW_USER = {"username": "nina", "role": "member", "organization": "MyOrg1MSP"}
PEOPLE = [
    Act("create a user", "ada", lambda s: s.api.post(
        "/api/users/", {"username": "nina", "password": NEW_PASSWORD, "role": "USER"},
        format="json"), "created", "user"),
    Act("invite a user", "ada", lambda s: s.browser.post("/users/new/", NEW_USER),
        "created", "user"),
    Act("add a user in the admin", "ada",
        lambda s: s.browser.post(admin_url("user", "add"), NEW_USER), "created", "user"),
    Act("change a role", "ada", lambda s: s.api.put(
        "/api/users/alice/", {"role": "VIEWER"}, format="json"), "changed", "user"),
    Act("change a role by its page", "ada", to_alice({"role": "viewer"}), "changed", "user"),
    Act("change a role in the admin", "ada", in_admin({"role": "viewer"}), "changed", "user"),
    Act("deactivate", "ada", to_alice({"action": "active"}), "changed", "user"),
    Act("deactivate in the admin", "ada", in_admin({"is_active": ""}), "changed", "user"),
    Act("a superuser's change", "root", to_alice({"role": "viewer"}), "changed", "user"),
    Act("delete a user", "ada", lambda s: s.api.delete("/api/users/alice/"), "removed", "user"),
    Act("make a link", "ada", lambda s: s.api.post("/api/users/alice/reset_password/"),
        "changed", "user"),
    Act("make a link by the page", "ada",
        lambda s: s.browser.post(f"/users/{alice_s(s).pk}/reset/"), "changed", "user"),
    Act("one's own password", "alice", lambda s: s.api.put(
        "/api/users/alice/password/", {"password": NEW_PASSWORD}, format="json"),
        "changed", "user"),
    Act("one's own password by the page", "alice", lambda s: s.browser.post(
        "/account/password/", {"old_password": PASSWORD, "new_password1": NEW_PASSWORD,
                               "new_password2": NEW_PASSWORD}), "changed", "user"),
    Act("a password in the admin", "ada", in_admin({"new_password": NEW_PASSWORD}),
        "changed", "user"),
    Act("a password by a link", "alice", lambda s: APIClient(REMOTE_ADDR=ADDRESS).post(
        "/api/users/alice/set_password/",
        {"token": create_reset_token(alice_s(s)), "password": NEW_PASSWORD}, format="json"),
        "changed", "user"),
    Act("a password by a link to the page", "alice", by_link, "changed", "user"),
    Act("unlock", "ada", lambda s: s.browser.post(f"/users/{alice_s(s).pk}/unlock/"),
        "changed", "user"),
    Act("let somebody in", "ada", lambda s: waiting(s, "", username="nina", role="member"),
        "created", "user"),
    Act("refuse somebody", "ada", lambda s: waiting(s, "refuse/"), "removed", "user"),
    Act("turn the second factor off", "alice", lambda s: factor(s, "off"), "changed", "user"),
    Act("make recovery codes", "alice", lambda s: factor(s, "codes"), "changed", "user"),
    Act("reset a second factor", "ada", reset_factor, "changed", "user"),
    Act("make a token", "alice", lambda s: s.api.post(
        "/api/api-token/", {"expires_at": "2999-01-01T00:00:00Z"}, format="json"),
        "created", "token"),
    Act("make a token by the page", "alice", lambda s: s.browser.post(
        "/account/tokens/new/", {"note": "n", "days": "30"}),
        "created", "token"),
    Act("make a token in the admin", "alice", lambda s: s.browser.post(
        admin_url("apitoken", "add"), {"note": "n", "days": "30"}), "created", "token"),
    Act("revoke a token", "alice", lambda s: s.api.delete(
        f"/api/active-api-tokens/?id={own_token(s).pk}"), "removed", "token"),
    Act("revoke a token by the page", "alice", lambda s: s.browser.post(
        f"/account/tokens/{own_token(s).pk}/revoke/"), "removed", "token"),
    Act("revoke a token in the admin", "alice", lambda s: s.browser.post(
        admin_url("apitoken", "delete", own_token(s).pk), {"post": "yes"}), "removed", "token"),
    Act("revoke tokens in the admin's list", "alice", lambda s: s.browser.post(
        admin_url("apitoken", "changelist"), {"action": "delete_selected", "post": "yes",
        "_selected_action": [str(own_token(s).pk)]}), "removed", "token"),
    *(Act(f"add an organisation at {url}", "root", lambda s, u=url: s.browser.post(
        u, {"id": "MyOrg9MSP", "name": "Ninth"}), "created", "ASSET_ORGANIZATION", of="MyOrg9MSP")
      for url in ("/organisations/new/", "/admin/assets/organization/add/")),
]  # fmt: skip

# --- Runners, and what they may run --------------------------------------------------------------


def own_runner(stage: Stage) -> Any:
    return create_runner(stage.user.organization, name="ward")[0]


def asked(stage: Stage, policy: str) -> None:
    """Have A ask for approvals."""
    RunPolicy.objects.create(organization_id="MyOrg1MSP", policy=policy)


def decide(policy: str, path: str, **sent: str) -> Callable[[Stage], Any]:
    def do(stage: Stage) -> Any:
        asked(stage, policy)
        asset = stage.plan if policy == "plans" else stage.function
        page = "compute-plans" if policy == "plans" else "functions"
        seen = tasks_on_data_of("MyOrg1MSP", stage.plan.key).digest
        return stage.browser.post(f"/{page}/{asset.key}/{path}/", {"digest": seen, **sent})

    return do


def try_it(stage: Stage, by: str) -> Any:
    own_runner(stage)
    if by == "api":
        body = {"function_key": str(stage.function.key), "dataset_key": str(stage.dataset.key)}
        return stage.api.post("/api/trial/", body, format="json")
    sent = {"dataset": str(stage.dataset.key), "fake_samples": "1"}
    return stage.browser.post(f"/functions/{stage.function.key}/try/", sent)


WHY = {"reason": "Ask first."}
RUNS = [
    Act("register a runner", "ada",
        lambda s: s.browser.post("/runners/new/", {"name": "ward"}), "created", "runner"),
    Act("register a runner in the admin", "ada",
        lambda s: s.browser.post(admin_url("runner", "add"), {"name": "ward"}),
        "created", "runner"),
    Act("revoke a runner", "ada",
        lambda s: s.browser.post(f"/runners/{own_runner(s).pk}/revoke/"), "removed", "runner"),
    Act("revoke a runner in the admin", "ada", lambda s: s.browser.post(
        admin_url("runner", "revoke", own_runner(s).pk)), "removed", "runner"),
    Act("choose what runners run", "ada",
        lambda s: s.browser.post("/runners/policy/", {"policy": "plans"}),
        "changed", "ASSET_ORGANIZATION"),
    *(Act(f"try a function by {by}", "alice", lambda s, by=by: try_it(s, by), "created", "trial")
      for by in ("api", "pages")),
    Act("approve a plan", "ada", decide("plans", "approval"), "approved", PLAN),
    Act("approve a function", "ada", decide("functions", "approval"), "approved", FUNCTION),
    Act("decline a plan", "ada", decide("plans", "decline", **WHY), "declined", PLAN),
    Act("decline a function", "ada", decide("functions", "decline", **WHY), "declined", FUNCTION),
    Act("cancel the tasks of what is declined", "ada", decide("plans", "decline", **WHY),
        "ended", TASK),
    _refused("register a runner", "alice",
             lambda s: s.browser.post("/runners/new/", {"name": "ward"})),
    _refused("approve as a member", "alice", decide("plans", "approval")),
    _refused("decline as a member", "alice", decide("functions", "decline", **WHY)),
]  # fmt: skip

# --- Commands, which have no user and no address --------------------------------------------------


def command(*args: str) -> Callable[[Stage], Any]:
    def run(stage: Stage) -> Any:
        count_failure("alice", "10.0.0.1")
        patch = stage.request.getfixturevalue("monkeypatch")
        patch.setattr("sys.stdin", io.StringIO())
        call_command(*args, stdout=io.StringIO())

    return run


COMMANDS = [
    Act("the command that adds an organisation", "alice",
        command("create_organization", "MyOrg9MSP"), "created", "ASSET_ORGANIZATION",
        of="MyOrg9MSP"),
    Act("the command that adds a user", "alice",
        command("create_user", "nina", "--organization", "MyOrg1MSP"), "created", "user"),
    Act("the command that makes a token", "alice", command("create_token", "alice"),
        "created", "token"),
    Act("the command that registers a runner", "alice",
        command("create_runner", "MyOrg1MSP", "ward"), "created", "runner"),
    Act("the command that unlocks", "alice", command("unlock_sign_in", "--user", "alice"),
        "changed", "user"),
]  # fmt: skip
COMMANDS = [replace(act, actor="") for act in COMMANDS]

ACTS = [*OF_ASSETS, *REFUSALS, *DOWNLOADS, *SIGN_IN, *PEOPLE, *RUNS]


def events_about(act: Act, events: Any) -> list[Event]:
    return [
        event
        for event in events
        if (event.action, event.asset_kind, event.result) == (act.action, act.kind, act.result)
        and event.actor_name == (act.who if act.actor is None else act.actor)
        and event.organization_id == act.of
    ]


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.name)
def test_one_event_records_it(act, request):
    stage = Stage(act.who, request)
    answer = act.do(stage)
    if getattr(answer, "streaming", False):
        answer.getvalue()
    events = list(Event.objects.filter(address=ADDRESS))
    status = getattr(answer, "status_code", None)
    assert len(events_about(act, events)) == act.count, (status, [vars(event) for event in events])
    # What was refused is recorded once, and nothing else is.
    refusals = [event for event in events if event.result == "refused"]
    assert len(refusals) == (act.result == "refused")


@pytest.mark.parametrize("act", COMMANDS, ids=lambda act: act.name)
def test_commands_are_recorded_too(act, request):
    stage = Stage(act.who, request)
    before = Event.objects.latest("pk").pk
    act.do(stage)
    events = Event.objects.filter(pk__gt=before)
    assert len(events_about(act, events)) == 1
    assert {event.address for event in events} == {None}


def test_a_form_that_is_only_looked_at_is_no_attempt(bob, alice, session_of):
    """Neither its page, nor the results while one types."""
    dataset = builders.make_dataset(alice)
    browser = session_of(bob)
    before = Event.objects.filter(result="refused").count()
    url = f"/datasets/{dataset.key}/rename/"
    assert browser.get(url).status_code == 200
    browser.post(url, {"name": "Mine", "live": "name"})
    assert Event.objects.filter(result="refused").count() == before
