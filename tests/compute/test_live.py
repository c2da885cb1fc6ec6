"""Pages of plans, tasks and functions that follow work: what is asked, and what is answered."""

import re
from datetime import timedelta

import pytest
from django.contrib.messages import constants
from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone

from assets.accounts.models import Organization, Runner
from assets.common.audit import Agent
from assets.common.ops.sessions import SessionStore
from assets.compute.models import ComputePlan
from assets.compute.pages.base import remaining_text
from assets.compute.registration import report_steps
from assets.compute.registration.progress import move_function, move_tasks
from assets.compute.statuses import PlanStatus, TaskStatus, estimated_end, has_ended
from assets.feed.models import Event
from assets.functions.models import Function, FunctionStatus
from tests.builders import make_failure, make_model, set_status

from .conftest import recount, text_of

pytestmark = pytest.mark.postgresql

RUNNER = Agent("MyOrg1MSP", "runner of the ward")
# The session, its user and the page's row; the runners, but for a graph; what a task has reported.
ASKING_QUERIES = {"plan": 4, "graph": 3, "task": 5, "function": 4}
each_page = pytest.mark.parametrize("kind", ASKING_QUERIES)
each_work = pytest.mark.parametrize("kind", ["plan", "task", "function"])


@pytest.fixture
def pages(study):
    """The address of each page that follows work."""
    return {
        "plan": reverse("compute-plan", args=[study.plan.pk]),
        "graph": reverse("compute-plan-graph", args=[study.plan.pk]),
        "task": reverse("task", args=[study.first.pk]),
        "function": reverse("function", args=[study.train.pk]),
    }


@pytest.fixture
def browser(session_of, alice):
    return session_of(alice)


def make_runner(organization_id: str, **values) -> Runner:
    organization = Organization.objects.get(pk=organization_id)
    return Runner.objects.create(
        organization=organization, name="ward", digest=organization_id, **values
    )


def state_in(html: str) -> str:
    """The state that a page would send; blank if it asks for nothing."""
    found = re.search(r'<div id="live"[^>]* hx-get="[^"]*\bstate=(\w+)"', html)
    return found[1] if found else ""


def state_of(browser, url: str) -> str:
    return state_in(browser.get(url).content.decode())


def ask(browser, url: str, state: str):
    return browser.get(url, {"state": state}, headers={"hx-request": "true"})


def ready(study) -> None:
    for function in (study.train, study.score):
        move_function(function.pk, FunctionStatus.BUILDING, RUNNER)
        move_function(function.pk, FunctionStatus.READY, RUNNER)


# --- Asking ---------------------------------------------------------------------------------------


@each_page
def test_nothing_new_is_cheap(browser, pages, kind, django_assert_num_queries):
    state = state_of(browser, pages[kind])
    with django_assert_num_queries(ASKING_QUERIES[kind]):
        answer = ask(browser, pages[kind], state)
    assert (answer.status_code, answer.content) == (204, b"")
    assert not answer.templates


@each_page
def test_what_is_new_comes_without_the_frame(browser, pages, study, kind):
    state = state_of(browser, pages[kind])
    move_function(study.train.pk, FunctionStatus.BUILDING, RUNNER)
    answer = ask(browser, pages[kind], state)
    html = answer.content.decode()
    assert answer.status_code == 200
    assert html.strip().startswith('<div id="live"')
    assert "building" in text_of(html)
    assert state_in(html) not in ("", state)
    assert ask(browser, pages[kind], state_in(html)).status_code == 204


@each_work
def test_without_scripts_the_page_is_whole(browser, pages, kind):
    html = browser.get(pages[kind], {"state": state_of(browser, pages[kind])}).content.decode()
    assert "<html" in html
    assert f'<a class="without-scripts" href="{pages[kind]}">Refresh</a>' in html


@each_work
def test_the_address_with_code_is_asked_again(browser, pages, kind):
    html = browser.get(pages[kind], {"code": ""}).content.decode()
    assert f'hx-get="{pages[kind]}?code=&amp;state={state_in(html)}"' in html


@each_page
def test_final_pages_ask_for_nothing(browser, pages, study, kind):
    state = state_of(browser, pages[kind])
    Function.objects.update(status=FunctionStatus.READY)
    set_status([study.first.pk, study.second.pk, study.third.pk], TaskStatus.DONE)
    recount(study.plan)
    assert not state_of(browser, pages[kind])
    html = ask(browser, pages[kind], state).content.decode()
    assert "hx-get" not in re.search(r'<div id="live"[^>]*>', html)[0]
    assert "follows the work" not in html


def test_each_page_is_asked_for_by_those_who_are_signed_in(client, pages):
    for url in pages.values():
        answer = ask(client, url, "any")
        assert answer.headers["HX-Redirect"].startswith(reverse("sign-in"))


def test_asking_is_no_use_of_the_session(browser, pages, settings):
    settings.SESSION_IDLE_AGE = 3600
    state = state_of(browser, pages["plan"])
    key = browser.session.session_key
    session = SessionStore(key)
    used = timezone.now().timestamp() - 1200
    data = {**session.load(), "_used": used, "_began": used}
    Session.objects.update(session_data=session.encode(data))
    assert ask(browser, pages["plan"], state).status_code == 204
    ask(browser, pages["plan"], "another")
    assert SessionStore(key).load()["_used"] == used
    browser.get(pages["plan"])
    assert SessionStore(key).load()["_used"] > used


def test_asking_takes_no_message(browser, pages, study):
    """It is for the next page that the user opens."""
    rename = reverse("compute-plan-rename", args=[study.plan.pk])
    browser.post(rename, {"name": "Second study"})
    assert "Renamed to" not in ask(browser, pages["plan"], "old").content.decode()
    html = browser.get(pages["plan"]).content.decode()
    assert f'class="alert alert-{constants.DEFAULT_TAGS[constants.SUCCESS]}"' in html
    assert "Renamed to Second study." in html


def runs(study) -> None:
    ready(study)
    move_tasks([study.first.pk], TaskStatus.EXECUTING, RUNNER)


CHANGES = {
    "a step": lambda study: report_steps(study.first, {"prepare_inputs": 5}, RUNNER),
    "a model": lambda study: make_model(study.first.pk),
    "a runner": lambda study: make_runner("MyOrg1MSP"),
    "the end": lambda study: set_status([study.first.pk], TaskStatus.DONE),
    "the plan": lambda study: ComputePlan.objects.update(status=PlanStatus.FAILED),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_the_page_of_a_task(browser, pages, study, change):
    runs(study)
    state = state_of(browser, pages["task"])
    assert ask(browser, pages["task"], state).status_code == 204
    CHANGES[change](study)
    assert ask(browser, pages["task"], state).status_code == 200


def test_parents_change_the_page_of_a_task(browser, study):
    ready(study)
    url = reverse("task", args=[study.second.pk])
    state = state_of(browser, url)
    set_status([study.first.pk], TaskStatus.DONE)
    assert ask(browser, url, state).status_code == 200


def test_runners_that_come_often_change_the_page_once_a_minute(browser, pages):
    now = timezone.now().replace(second=10, microsecond=0)
    runner = make_runner("MyOrg1MSP", last_seen=now)
    state = state_of(browser, pages["plan"])
    for later, status in ((20, 204), (60, 200)):
        Runner.objects.filter(pk=runner.pk).update(last_seen=now + timedelta(seconds=later))
        assert ask(browser, pages["plan"], state).status_code == status


# --- What work waits for --------------------------------------------------------------------------

WAITING = {
    TaskStatus.WAITING_FOR_BUILDER_SLOT: (
        "It waits for a runner of MyOrg1MSP to build its function. MyOrg1MSP has no runner."
    ),
    TaskStatus.BUILDING: "A runner of MyOrg1MSP builds its function.",
    TaskStatus.WAITING_FOR_PARENT_TASKS: "It waits for 1 parent.",
    TaskStatus.WAITING_FOR_EXECUTOR_SLOT: "It waits for a runner of MyOrg1MSP. MyOrg1MSP has no",
    TaskStatus.EXECUTING: "A runner of MyOrg1MSP runs it.",
}


@pytest.mark.parametrize("status", TaskStatus)
def test_what_a_task_waits_for(browser, study, status):
    set_status([study.second.pk], status)
    html = browser.get(reverse("task", args=[study.second.pk])).content.decode()
    text = text_of(html)
    for other, words in WAITING.items():
        assert (words in text) == (other == status)
    summary = re.search(r'data-summary="([^"]+)"', html)[1]
    assert f"The status of this task is: {status.label}." in summary


@pytest.mark.parametrize("status", list(WAITING)[:4:2])
def test_tasks_of_a_failed_plan_do_not_run(browser, study, status):
    set_status([study.second.pk], status)
    ComputePlan.objects.update(status=PlanStatus.FAILED)
    text = text_of(browser.get(reverse("task", args=[study.second.pk])).content.decode())
    assert "It does not run, because its compute plan failed." in text
    assert "It waits" not in text


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (None, "MyOrg1MSP has no runner."),
        ({"revoked_at": timezone.now()}, "MyOrg1MSP has no runner."),
        ({}, "No runner of MyOrg1MSP has come yet."),
        ({"last_seen": timezone.now()}, "Last seen: 2"),
    ],
)
def test_what_is_known_of_the_runner(browser, pages, values, words):
    if values is not None:
        make_runner("MyOrg1MSP", **values)
    make_runner("MyOrg2MSP", last_seen=timezone.now() - timedelta(days=900))
    del pages["graph"]
    for url in pages.values():
        assert words in text_of(browser.get(url).content.decode())


def test_what_the_tasks_of_a_plan_wait_for(browser, pages, study):
    text = text_of(browser.get(pages["plan"]).content.decode())
    assert "0 of 3 tasks are done." in text
    assert "3 tasks wait for a runner of MyOrg1MSP to build their functions." in text
    runs(study)
    make_runner("MyOrg1MSP")
    text = text_of(browser.get(pages["plan"]).content.decode())
    assert "0 of 3 tasks are done. 1 is executing." in text
    assert "1 task waits for a runner of MyOrg1MSP. No runner of MyOrg1MSP has come yet." in text
    assert "1 task waits for its parents." in text


def test_tasks_that_a_failed_plan_leaves(browser, pages, study):
    ready(study)
    set_status([study.first.pk], TaskStatus.FAILED)
    set_status([study.third.pk], TaskStatus.EXECUTING)
    recount(study.plan)
    text = text_of(browser.get(pages["plan"]).content.decode())
    assert "0 of 3 tasks are done. 1 is executing. 1 has failed." in text
    assert "1 task does not run, because the plan failed." in text


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (FunctionStatus.WAITING, "It waits for a runner of MyOrg1MSP."),
        (FunctionStatus.BUILDING, "A runner of MyOrg1MSP builds it."),
        (FunctionStatus.READY, None),
        (FunctionStatus.FAILED, None),
        (FunctionStatus.CANCELED, None),
    ],
)
def test_what_a_function_waits_for(browser, pages, study, status, words):
    Function.objects.filter(pk=study.train.pk).update(status=status)
    text = text_of(browser.get(pages["function"]).content.decode())
    assert ("MyOrg1MSP has no runner." in text) == bool(words)
    assert words is None or words in text


# --- How long it takes ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "counts", "ended"),
    [
        (PlanStatus.CREATED, {}, False),
        (PlanStatus.DOING, {TaskStatus.EXECUTING: 1}, False),
        (PlanStatus.DONE, {TaskStatus.DONE: 1}, True),
        (PlanStatus.FAILED, {TaskStatus.FAILED: 1, TaskStatus.EXECUTING: 1}, False),
        (PlanStatus.FAILED, {TaskStatus.FAILED: 1, TaskStatus.BUILDING: 1}, False),
        (PlanStatus.FAILED, {TaskStatus.FAILED: 1, TaskStatus.WAITING_FOR_PARENT_TASKS: 1}, True),
        (PlanStatus.CANCELED, {TaskStatus.CANCELED: 1}, True),
    ],
)
def test_when_a_plan_has_ended(status, counts, ended):
    assert has_ended(status, counts) == ended


def test_when_a_plan_will_end():
    now = timezone.now()
    start = now - timedelta(minutes=10)
    doing = PlanStatus.DOING
    assert estimated_end(doing, start, None, 2, 6, now) == now + timedelta(minutes=20)
    assert estimated_end(doing, start, None, 0, 6, now) is None
    assert estimated_end(PlanStatus.DONE, start, now, 6, 6, now) == now


@pytest.mark.parametrize(
    ("minutes", "done", "text"),
    [
        (0, 1, "a minute"),
        (10, 1, "50 min"),
        (60, 2, "2 h 0 min"),
        (60, 1, "5 h 0 min"),
        (5000, 1, "17 d 8 h"),
    ],
)
def test_how_long_a_plan_will_take(minutes, done, text):
    start = timezone.now() - timedelta(minutes=minutes, seconds=1)
    plan = ComputePlan(status=PlanStatus.DOING, start_date=start, done_count=done, task_count=6)
    assert remaining_text(plan) == text


def test_remaining_time_is_shown_while_it_runs(browser, pages, study):
    start = timezone.now() - timedelta(minutes=10, seconds=1)
    ComputePlan.objects.update(status=PlanStatus.DOING, start_date=start, done_count=1)
    assert "About 20 min left." in text_of(browser.get(pages["plan"]).content.decode())
    ComputePlan.objects.update(status=PlanStatus.FAILED, executing_count=1)
    assert "left." not in text_of(browser.get(pages["plan"]).content.decode())


# --- Where the time went, and logs ----------------------------------------------------------------


def test_steps_of_a_task(browser, pages, study):
    assert "No runner has reported yet" in browser.get(pages["task"]).content.decode()
    steps = {"task_execution": 3_000_000, "prepare_inputs": 1_000_000}
    report_steps(study.first, steps, RUNNER)
    html = browser.get(pages["task"]).content.decode()
    text = text_of(html)
    assert "Prepare the inputs 1.0 s 25 % Run the function 3.0 s 75 %" in text
    assert html.count('<rect class="step-') == 4  # of the bar, and beside each name
    assert "No runner has reported yet" not in text


def test_steps_of_a_build(browser, pages, study):
    report_steps(study.train, {"save_function": 0, "build_image": 61_000_000}, RUNNER)
    text = text_of(browser.get(pages["function"]).content.decode())
    assert "Build the image 1 min 1 s 100 % Save the image 0 ms 0 %" in text


LOGS = {
    "short": (b"ZeroDivisionError: division by zero", "ZeroDivisionError: division by zero", False),
    "long": (b"begin\n" + b"line\n" * 9000 + b"the end", "the end", True),
    "one long line": (b"x" * 30_000, "x" * 20_000, True),
    "no text": (b"\xff\x00<b>", "�&lt;b&gt;", False),
}


@pytest.mark.parametrize("case", LOGS)
def test_logs_are_read_on_the_page(browser, pages, study, case):
    logs, shown, cut = LOGS[case]
    set_status([study.first.pk], TaskStatus.FAILED)
    make_failure(logs, task_id=study.first.pk)
    html = browser.get(pages["task"]).content.decode()
    text = re.search(r'<div class="logs"[^>]*><pre class="code">(.*?)</pre>', html, re.DOTALL)[1]
    assert text.endswith(shown)
    assert len(text) <= 20_000
    assert ("begin" in text) == (b"begin" in logs and not cut)
    assert ("Only the end of the logs is shown." in html) == cut


def test_logs_are_for_those_who_may_read_them(session_of, carol, pages, study):
    set_status([study.first.pk], TaskStatus.FAILED)
    make_failure(b"a secret", task_id=study.first.pk)
    html = session_of(carol).get(pages["task"]).content.decode()
    assert "can read the logs." in html
    assert "a secret" not in html


def test_logs_that_are_lost(browser, pages, study):
    set_status([study.first.pk], TaskStatus.FAILED)
    report = make_failure(b"gone", task_id=study.first.pk)
    report.logs.storage.delete(report.logs.name)
    assert "The file with the logs is lost." in browser.get(pages["task"]).content.decode()


def test_a_view_of_logs_is_in_the_audit_trail(session_of, bob, pages, study):
    set_status([study.first.pk], TaskStatus.FAILED)
    report = make_failure(b"a trace", task_id=study.first.pk)
    browser = session_of(bob)
    for _ in range(2):
        assert "a trace" in browser.get(pages["task"]).content.decode()
    event = Event.objects.get(asset_key=report.pk)
    assert (event.action, event.actor_name, event.detail) == ("viewed", "bob", {"file": "logs"})


def test_queries_are_as_many_for_two_tasks_as_for_twenty(
    browser, plan_of, django_assert_num_queries
):
    for count in (2, 20):
        url = reverse("compute-plan", args=[plan_of(count).pk])
        state = state_of(browser, url)
        with django_assert_num_queries(ASKING_QUERIES["plan"]):
            ask(browser, url, state)
