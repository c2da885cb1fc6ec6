"""The pages of runners: admins register and revoke them, everyone of their organisation watches."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from assets.accounts.models import Runner
from assets.accounts.registration.runners import create_runner, revoke_runner
from assets.accounts.registration.tokens import token_digest
from assets.execution.models import Approval, Job
from assets.execution.queries.approvals import Policy, policy_of
from assets.feed.models import Event
from tests import builders
from tests.admin.interface import admin_url
from tests.cast import A

pytestmark = pytest.mark.django_db

RUNNERS, NEW, POLICY = "/runners/", "/runners/new/", "/runners/policy/"


def make_runner(organization: Any, name: str = "ward", **columns: Any) -> Runner:
    runner, _ = create_runner(organization, name=name)
    Runner.objects.filter(pk=runner.pk).update(**columns)
    runner.refresh_from_db()
    return runner


def make_job(runner: Runner, *, minutes: float = 1, ended: str = "", **about: Any) -> Job:
    now = timezone.now()
    times = {"claimed_at": now - timedelta(minutes=5), "expires_at": now + timedelta(minutes=1)}
    if minutes < 0:
        times["expires_at"] = now + timedelta(minutes=minutes)
    if ended:
        times["ended_at"] = now
    return Job.objects.create(runner=runner, outcome=ended, **times, **about)


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


# --- Watching ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "manages"), [("ada", True), ("alice", False), ("victor", False)])
def test_without_runners_the_page_says_what_they_are(name, manages, request, session_of):
    text = session_of(request.getfixturevalue(name)).get(RUNNERS).content.decode()
    assert "No runners yet" in text
    assert "runs tasks beside your data" in text
    assert (f'href="{NEW}"' in text) == (f'href="{POLICY}"' in text) == manages


SEEN = {
    "never seen": ({}, "not running"),
    "seen a moment ago": ({"last_seen": timedelta(seconds=20)}, "ready"),
    "seen an hour ago": ({"last_seen": timedelta(hours=1)}, "not running"),
}


@pytest.mark.parametrize("case", SEEN)
def test_the_state_of_a_runner(case, org_a, session_of, victor):
    ages, state = SEEN[case]
    seen = {name: timezone.now() - age for name, age in ages.items()}
    runner = make_runner(org_a, version="0.2.0", engine="process", **seen)
    text = text_of(session_of(victor).get(RUNNERS))
    assert re.search(rf"ward {state} nothing .* 0\.2\.0 process", text), text
    assert ("never" in text) == (not ages)
    details = text_of(session_of(victor).get(reverse("runner", args=[runner.pk])))
    assert "It runs nothing now." in details
    assert "It has not run anything yet." in details


def test_what_runners_run(org_a, alice, session_of):
    assets = builders.make_one_of_each(alice, function="Train a model")
    runner, task = make_runner(org_a), assets["task"]
    make_job(runner, task=task)
    make_job(runner, data_sample=assets["data-sample"])
    make_job(runner, function=assets["function"])
    browser = session_of(alice)
    for url in (RUNNERS, reverse("runner", args=[runner.pk])):
        text = browser.get(url).content.decode()
        assert f'href="/tasks/{task.pk}/"' in text
        assert f'href="/data-samples/{assets["data-sample"].pk}/"' in text
        assert f'build of <a href="/functions/{assets["function"].pk}/">Train a model</a>' in text
        assert ">running</span>" in text
    Job.objects.filter(task=task).update(ended_at=timezone.now(), outcome="lost")
    page = browser.get(reverse("runner", args=[runner.pk]))
    assert [job.task for job in page.context["lately"]] == [task]
    assert ">lost</span>" in page.content.decode()


def test_a_lease_that_is_over_is_no_work(org_a, alice, session_of):
    runner = make_runner(org_a)
    make_job(runner, minutes=-1, task=builders.make_one_of_each(alice)["task"])
    (row,) = session_of(alice).get(RUNNERS).context["rows"]
    assert not row.jobs


@pytest.mark.parametrize("count", [2, 12])
def test_queries_of_runners(count, org_a, alice, session_of):
    function = builders.make_aggregate(alice, inputs=())
    for number in range(count):
        runner = make_runner(org_a, f"ward {number}")
        for _ in range(4):
            specs = builders.aggregate_task(function, A)
            builders.make_plan(alice, specs)
        for task in function.tasks.filter(jobs=None):
            make_job(runner, task=task)
    revoke_runner(make_runner(org_a, "old"))
    browser = session_of(alice)
    with CaptureQueriesContext(connection) as captured:
        page = browser.get(RUNNERS)
    # Session, user, runners, jobs, revoked runners and the policy.
    assert len(captured) == 6
    assert all((len(row.jobs), row.more_jobs) == (3, 1) for row in page.context["rows"])
    with CaptureQueriesContext(connection) as captured:
        browser.get(reverse("runner", args=[runner.pk]))
    assert len(captured) == 5


def test_runners_of_others_are_not_seen(org_b, session_of, ada, bob):
    theirs = make_runner(org_b, "their machine")
    browser = session_of(ada)
    assert "their machine" not in browser.get(RUNNERS).content.decode()
    for url in ("runner", "runner-revoke"):
        assert browser.get(reverse(url, args=[theirs.pk])).status_code == 404
    assert browser.post(reverse("runner-revoke", args=[theirs.pk])).status_code == 404
    theirs.refresh_from_db()
    assert theirs.revoked_at is None


def test_a_user_of_no_organisation_has_no_runners(session_of, root):
    browser = session_of(root)
    for url in (RUNNERS, NEW, POLICY):
        assert browser.get(url).status_code == 403
    assert f'href="{RUNNERS}"' not in browser.get("/").content.decode()


# --- Registering and revoking --------------------------------------------------------------------


def test_a_token_is_shown_once_with_the_command(session_of, ada):
    browser = session_of(ada)
    answer = browser.post(NEW, {"name": "ward 7"})
    text = answer.content.decode()
    (secret,) = re.findall(r'id="token-secret" readonly value="([0-9a-f]{40})"', text)
    command = ".venv/bin/python manage.py runner --server http://testserver/ --token-file token"
    assert command in text
    assert "no-store" in answer["Cache-Control"]
    runner = Runner.objects.get()
    assert (runner.name, runner.organization_id) == ("ward 7", A)
    assert runner.digest == token_digest(secret)
    for path in (RUNNERS, NEW, reverse("runner", args=[runner.pk])):
        assert secret not in browser.get(path).content.decode()
    event = Event.objects.get(asset_kind="runner")
    assert (event.action, event.actor, event.public) == ("created", ada, False)


def test_a_form_that_is_sent_again_makes_no_second_runner(session_of, ada):
    browser = session_of(ada)
    page = browser.get(NEW).content.decode()
    (token, *_) = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    values = {"name": "ward", "csrfmiddlewaretoken": token}
    assert "token-secret" in browser.post(NEW, values).content.decode()
    again = browser.post(NEW, values, follow=True)
    runner = Runner.objects.get()
    assert again.redirect_chain == [(reverse("runner", args=[runner.pk]), 302)]
    assert "The token was created once" in again.content.decode()


@pytest.mark.parametrize("name", ["", "  ", "ward", "x" * 101])
def test_names_that_no_runner_gets(name, session_of, ada, org_a):
    make_runner(org_a)
    answer = session_of(ada).post(NEW, {"name": name})
    assert answer.status_code == 422
    assert "No runner was registered." in answer.content.decode()
    assert Runner.objects.count() == 1


@pytest.mark.parametrize("name", ["alice", "victor", "bob", "root"])
def test_who_may_not_manage(name, request, session_of, org_a):
    runner = make_runner(org_a)
    browser = session_of(request.getfixturevalue(name))
    revoke = reverse("runner-revoke", args=[runner.pk])
    for url, data in ((NEW, {"name": "x"}), (POLICY, {"policy": "plans"}), (revoke, {})):
        assert browser.get(url).status_code in (403, 404)
        assert browser.post(url, data).status_code in (403, 404)
    runner.refresh_from_db()
    assert Runner.objects.get().revoked_at is None
    assert policy_of(A) == Policy.ALL


def test_pages_that_outlive_the_session_ask_for_the_password(session_of, ada):
    browser = session_of(ada)
    session = browser.session
    session["began"] = session["confirmed_at"] = 1
    session.save()
    for url in (NEW, POLICY):
        answer = browser.get(url)
        assert answer["Location"] == f"/account/confirm/?next={url.replace('/', '%2F')}"


def test_revoking(session_of, ada, org_a):
    runner = make_runner(org_a)
    browser, url = session_of(ada), reverse("runner-revoke", args=[runner.pk])
    assert "You cannot undo this" in browser.get(url).content.decode()
    answer = browser.post(url, follow=True)
    assert answer.redirect_chain == [(RUNNERS, 302)]
    assert [runner.name for runner in answer.context["revoked"]] == ["ward"]
    assert ">revoked</span>" in browser.get(reverse("runner", args=[runner.pk])).content.decode()
    assert browser.get(url).status_code == browser.post(url).status_code == 404
    # Its name is free again.
    assert browser.post(NEW, {"name": "ward"}).status_code == 200


def test_choosing_what_runners_run(session_of, ada):
    browser = session_of(ada)
    page = browser.get(POLICY).content.decode()
    assert re.search(r'value="all"[^>]*checked', page)
    assert browser.post(POLICY, {"policy": "plans"})["Location"] == RUNNERS
    assert policy_of(A) == Policy.PLANS
    text = browser.get(RUNNERS).content.decode()
    assert "Only compute plans that we have approved." in text
    assert 'href="/approvals/"' in text
    assert browser.post(POLICY, {"policy": "none"}).status_code == 422
    assert policy_of(A) == Policy.PLANS


# --- The command ---------------------------------------------------------------------------------


def test_the_command_prints_the_token(db, capsys):
    call_command("create_runner", A, "ward")
    out, err = capsys.readouterr()
    runner = Runner.objects.get()
    assert runner.digest == token_digest(out.strip())
    assert "Runner ward of First hospital (MyOrg1MSP) was registered." in err


def test_the_command_writes_the_token_to_a_file(db, capsys, tmp_path):
    path = tmp_path / "runner.token"
    call_command("create_runner", A, "ward", "--token-file", str(path))
    assert Runner.objects.get().digest == token_digest(path.read_text().strip())
    assert path.stat().st_mode & 0o777 == 0o600
    assert capsys.readouterr().out == ""
    # A file that is there already has perhaps other readers.
    with pytest.raises(CommandError, match="Choose another file"):
        call_command("create_runner", A, "second", "--token-file", str(path))
    assert Runner.objects.count() == 1


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("MyOrg9MSP", "ward"), "create_organization MyOrg9MSP"),
        ((A, "old"), "has a runner with this name"),
        ((A, ""), "cannot be blank"),
    ],
)
def test_runners_that_the_command_refuses(args, message, org_a):
    make_runner(org_a, "old")
    with pytest.raises(CommandError, match=message):
        call_command("create_runner", *args)
    assert Runner.objects.count() == 1


# --- The admin -----------------------------------------------------------------------------------


def test_a_runner_in_the_admin(session_of, ada, root):
    browser = session_of(ada)
    answer = browser.post(admin_url("runner", "add"), {"name": "ward"}, follow=True)
    runner = Runner.objects.get()
    (message,) = [str(m) for m in answer.context["messages"] if "shown only once" in str(m)]
    assert runner.digest == token_digest(re.findall(r"[0-9a-f]{40}", message)[0])
    assert browser.get(admin_url("runner", "change", runner.pk)).status_code == 200
    # Superusers revoke any.
    assert session_of(root).get(admin_url("runner", "add")).status_code == 403
    assert session_of(root).post(admin_url("runner", "revoke", runner.pk)).status_code == 302
    runner.refresh_from_db()
    assert runner.revoked_at
    assert browser.post(admin_url("runner", "revoke", runner.pk)).status_code == 200
    assert Event.objects.filter(asset_kind="runner").count() == 2


@pytest.mark.parametrize("model", ["runner", "job", "approval"])
def test_others_see_nothing_of_it_in_the_admin(model, org_a, alice, bob, session_of):
    assets = builders.make_one_of_each(alice)
    runner = make_runner(org_a)
    rows = {
        "runner": runner,
        "job": make_job(runner, task=assets["task"]),
        "approval": _approval(assets["function"], alice),
    }
    row = rows[model]
    seen, unseen = (
        session_of(user).get(admin_url(model, "changelist")).context["cl"].result_list
        for user in (alice, bob)
    )
    assert (list(seen), list(unseen)) == ([row], [])
    assert session_of(alice).get(admin_url(model, "change", row.pk)).status_code == 200
    assert session_of(bob).get(admin_url(model, "change", row.pk)).status_code == 302
    assert session_of(bob).post(admin_url("runner", "revoke", runner.pk)).status_code == 404
    assert session_of(alice).post(admin_url("runner", "revoke", runner.pk)).status_code == 403


def _approval(function: Any, actor: Any) -> Any:
    return Approval.objects.create(
        organization_id=A,
        function=function,
        digest=function.archive_checksum,
        approved=True,
        decided_by=actor,
    )


def test_runners_that_do_not_exist(session_of, ada):
    assert session_of(ada).get(reverse("runner", args=[uuid4()])).status_code == 404
