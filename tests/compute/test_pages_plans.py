"""The page of a compute plan, its graph, its renaming and its cancelling."""

import json
import re
import shlex
from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse

from assets.common.pages.bars import BAR_WIDTH
from assets.compute.models import ComputePlan, Task
from assets.compute.pages import base, plans
from assets.compute.pages.base import duration_text, shares
from assets.compute.snippets import MAX_TASKS
from assets.compute.statuses import PlanStatus, TaskStatus
from tests.builders import make_performance, make_plan, set_status

from .conftest import panel, recount, text_of

# The session, its user, the plan, ranks, functions, performances, tasks and edges of the graph,
# events; and for its progress: runners and the tasks that wait for one.
PLAN_QUERIES = 12
GRAPH_QUERIES = 5
# And for the code: tasks, inputs, outputs with their permissions.
CODE_QUERIES = PLAN_QUERIES + 3

PAGES = ["compute-plan", "compute-plan-graph", "compute-plan-rename", "compute-plan-cancel"]
each_page = pytest.mark.parametrize("url_name", PAGES)


def url_of(plan, url_name="compute-plan"):
    return reverse(url_name, args=[plan.pk])


@pytest.fixture
def page_of(session_of, study):
    def get(user, url_name="compute-plan", status=200):
        response = session_of(user).get(url_of(study.plan, url_name))
        assert response.status_code == status
        return response.content.decode()

    return get


# --- Who, and what else may go wrong --------------------------------------------------------------


@each_page
@pytest.mark.parametrize("who", ["alice", "victor", "bob", "root"])
def test_everybody_sees_every_page(page_of, request, url_name, who):
    assert "Study" in page_of(request.getfixturevalue(who), url_name)


@each_page
def test_strangers_sign_in_first(client, study, url_name):
    url = url_of(study.plan, url_name)
    response = client.get(url)
    assert response.status_code == 302
    assert response.url == f"{reverse('sign-in')}?next={url}"


@each_page
@pytest.mark.parametrize("key", ["nothing", uuid4()])
def test_missing_plans(session_of, alice, url_name, key):
    assert session_of(alice).get(reverse(url_name, args=[key])).status_code == 404


@pytest.mark.parametrize("url_name", ["compute-plan", "compute-plan-graph"])
def test_what_only_shows_takes_nothing(session_of, alice, study, url_name):
    assert session_of(alice).post(url_of(study.plan, url_name)).status_code == 405


@pytest.mark.parametrize(
    ("who", "offered"),
    [("alice", True), ("ada", True), ("victor", False), ("bob", False), ("root", False)],
)
@pytest.mark.parametrize("action", ["rename", "tasks", "cancel"])
def test_changes_are_offered_to_those_who_may(page_of, study, request, who, offered, action):
    html = page_of(request.getfixturevalue(who))
    assert (f'href="{url_of(study.plan, f"compute-plan-{action}")}"' in html) == offered


@pytest.mark.parametrize(
    ("who", "offered"), [("alice", True), ("bob", True), ("victor", False), ("root", False)]
)
def test_registering_alike_is_offered_to_all_who_register(page_of, study, request, who, offered):
    html = page_of(request.getfixturevalue(who))
    assert (f'href="/compute-plans/new/?like={study.plan.pk}"' in html) == offered


@pytest.mark.parametrize("status", PlanStatus)
def test_tasks_and_cancelling_are_offered_while_the_status_allows(page_of, alice, study, status):
    ComputePlan.objects.update(status=status)
    html = page_of(alice)
    allowed = status not in (PlanStatus.FAILED, PlanStatus.CANCELED)
    for action in ("tasks", "cancel"):
        assert (url_of(study.plan, f"compute-plan-{action}") in html) == allowed


# --- What it says ---------------------------------------------------------------------------------


def test_facts(page_of, alice, study):
    text = text_of(page_of(alice))
    for words in (
        "Owner MyOrg1MSP",
        "Status created",
        "Tasks 3 , 0 done",
        "Tag first",
        "Created by alice",
        "Started not yet",
        "disease flu",
        "registered this compute plan",
    ):
        assert words in text


def test_other_organisations_do_not_see_the_creator(page_of, bob):
    text = text_of(page_of(bob))
    assert "Created by a user of MyOrg1MSP" in text
    assert "Created by alice" not in text


def test_tasks_by_status_rank_and_worker(page_of, alice, study):
    set_status([study.first.pk], TaskStatus.DONE)
    set_status([study.third.pk], TaskStatus.FAILED)
    recount(study.plan)
    html = page_of(alice)
    text = text_of(panel(html, "status"))
    assert "1 done 1 failed 1 waiting for builder" in text
    query = f"compute_plan_key={study.plan.pk}&amp;status=STATUS_FAILED"
    assert f'href="/tasks/?{query}"' in panel(html, "status")
    assert "MyOrg1MSP 0 1 done 1 failed 1 1 waiting for builder" in text_of(panel(html, "ranks"))
    assert f'href="/tasks/{study.third.pk}/"' in html  # failed first


def test_functions(page_of, alice, study):
    html = panel(page_of(alice), "functions")
    assert "Score 1 Train 2" in text_of(html)
    assert f"compute_plan_key={study.plan.pk}&amp;function_key={study.train.pk}" in html


def test_performances(page_of, alice, study):
    assert not panel(page_of(alice), "performances")
    make_performance(study.third.pk, 0.875)
    html = panel(page_of(alice), "performances")
    assert f'href="/tasks/{study.third.pk}/"' in html
    assert "MyOrg1MSP performance 0.875" in text_of(html)


def test_the_link_to_all_performances_works(session_of, alice, study):
    make_performance(study.third.pk, 0.875)
    browser = session_of(alice)
    html = browser.get(url_of(study.plan)).content.decode()
    url = re.search(r'href="(/api/performance/[^"]+)"', html)[1]
    assert b"0.875" in browser.get(url).getvalue()


def test_a_plan_without_tasks(session_of, alice):
    html = session_of(alice).get(url_of(make_plan(alice))).content.decode()
    assert "No tasks yet" in html
    assert "data-graph" not in html


# --- The graph ------------------------------------------------------------------------------------


@pytest.mark.parametrize("url_name", ["compute-plan", "compute-plan-graph"])
def test_the_graph(page_of, alice, study, url_name):
    set_status([study.first.pk], TaskStatus.DONE)
    html = page_of(alice, url_name)
    svg = re.search(r'<svg class="graph-svg".*?</svg>', html, re.DOTALL)[0]
    for task in (study.first, study.second, study.third):
        assert f'href="/tasks/{task.pk}/"' in svg
    assert svg.count("data-from=") == 1
    assert 'class="graph-node is-done"' in svg
    assert (
        'aria-label="Graph of 3 tasks in 2 ranks on 1 worker: 1 done, 2 waiting for builder."'
        in svg
    )


def test_the_graph_as_a_table(page_of, alice, study):
    rows = re.search(r"<details class=\"graph-table\".*?</details>", page_of(alice), re.DOTALL)[0]
    second = next(row for row in rows.split("<tr>") if f"/tasks/{study.second.pk}/" in row)
    text = text_of(f"<tr>{second}")
    assert f"{str(study.second.pk)[:8]} Train MyOrg1MSP 1 waiting for builder" in text
    assert text.endswith(str(study.first.pk)[:8])


def test_names_in_the_graph_are_escaped(session_of, alice, study):
    study.train.name = "<script>alert(1)</script>"
    study.train.save()
    assert "<script>alert" not in page_text(session_of(alice), study.plan)


def page_text(browser, plan, **headers):
    return browser.get(url_of(plan, "compute-plan-graph"), headers=headers).content.decode()


def test_htmx_takes_the_graph_alone(session_of, alice, study):
    html = page_text(session_of(alice), study.plan, hx_request="true")
    assert "<html" not in html
    assert "data-graph" in html


@pytest.mark.parametrize(
    ("inline", "drawn", "shown"),
    [(3, 3, "within"), (2, 3, "later"), (2, 2, "never")],
)
def test_large_plans_are_drawn_when_they_are_looked_at(
    page_of, alice, study, monkeypatch, inline, drawn, shown
):
    monkeypatch.setattr(plans, "MAX_INLINE_TASKS", inline)
    monkeypatch.setattr(plans, "MAX_DRAWN_TASKS", drawn)
    html, graph = page_of(alice), page_of(alice, "compute-plan-graph")
    assert ("graph-svg" in html) == (shown == "within")
    assert (f'hx-get="{url_of(study.plan, "compute-plan-graph")}"' in html) == (shown == "later")
    assert ("too large to be drawn" in html) == (shown == "never")
    assert ("too large to be drawn" in graph) == (shown == "never")
    assert ("graph-svg" in graph) == (shown != "never")


def test_a_thousand_tasks(session_of, alice, plan_of, django_assert_num_queries):
    plan = plan_of(1000)
    browser = session_of(alice)
    html = browser.get(url_of(plan)).content.decode()
    assert "graph-svg" not in html
    assert "800 more ranks" in html
    with django_assert_num_queries(GRAPH_QUERIES):
        html = browser.get(url_of(plan, "compute-plan-graph")).content.decode()
    assert html.count("data-node=") == 1000
    assert html.count("data-from=") == 999


# --- As code --------------------------------------------------------------------------------------


def test_as_code(session_of, alice, study):
    response = session_of(alice).get(url_of(study.plan), {"code": ""})
    assert panel(response.content.decode(), "code")
    (_, _, sdk), (_, _, curl) = response.context["snippets"]
    assert "client.add_compute_plan(ComputePlanSpec(" in sdk
    assert "name='Study'" in sdk
    assert sdk.count("ComputePlanTaskSpec(") == 3
    assert curl.startswith("curl http://testserver/api/compute_plan/ ")
    # It registers another plan with other tasks, of the same data.
    assert str(study.dataset.pk) in sdk
    for key in (study.plan.pk, study.first.pk, study.second.pk):
        assert str(key) not in sdk + curl


def test_the_code_registers_the_plan_again(session_of, client_of, alice, study):
    (_, _, _), (_, _, curl) = (
        session_of(alice).get(url_of(study.plan), {"code": ""}).context["snippets"]
    )
    body = json.loads(shlex.split(curl)[-1])
    response = client_of(alice).post("/api/compute_plan/", body, format="json")
    assert response.status_code == 201, response.content
    again = ComputePlan.objects.get(pk=body["key"])
    assert (again.name, again.task_count) == ("Study", 3)
    second = again.tasks.get(rank=1)
    assert second.inputs.get(identifier="shared").parent_task.compute_plan == again


def test_as_code_only_the_first_of_many(session_of, alice, plan_of):
    response = session_of(alice).get(url_of(plan_of(MAX_TASKS + 2)), {"code": ""})
    (name, _, code), _ = response.context["snippets"]
    assert f"with the first {MAX_TASKS} tasks" in name
    assert code.count("ComputePlanTaskSpec(") == MAX_TASKS


@pytest.mark.parametrize("count", [2, 20])
def test_as_many_queries_for_two_tasks_as_for_twenty(
    session_of, alice, plan_of, django_assert_num_queries, count
):
    plan, browser = plan_of(count), session_of(alice)
    with django_assert_num_queries(PLAN_QUERIES):
        browser.get(url_of(plan))
    with django_assert_num_queries(CODE_QUERIES):
        browser.get(url_of(plan), {"code": ""})
    with django_assert_num_queries(GRAPH_QUERIES):
        browser.get(url_of(plan, "compute-plan-graph"))


# --- Renaming and cancelling ----------------------------------------------------------------------

NOT_FOR = {
    "bob": "only its owner MyOrg1MSP may",
    "victor": "your role is viewer",
    "root": "your account belongs to no organisation",
}


def test_renaming(session_of, alice, study):
    url = url_of(study.plan, "compute-plan-rename")
    response = session_of(alice).post(url, {"name": "Second study"}, follow=True)
    assert response.redirect_chain == [(url_of(study.plan), 302)]
    assert "Renamed to Second study." in response.content.decode()
    study.plan.refresh_from_db()
    assert study.plan.name == "Second study"


@pytest.mark.parametrize(("who", "text"), NOT_FOR.items())
def test_renaming_is_refused(session_of, study, request, who, text):
    url = url_of(study.plan, "compute-plan-rename")
    response = session_of(request.getfixturevalue(who)).post(url, {"name": "Mine"})
    assert response.status_code == 422
    assert text in response.content.decode().lower().replace("myorg1msp", "MyOrg1MSP")
    study.plan.refresh_from_db()
    assert study.plan.name == "Study"


def test_what_cancelling_means(page_of, alice, study):
    set_status([study.first.pk], TaskStatus.DONE)
    recount(study.plan)
    text = text_of(page_of(alice, "compute-plan-cancel"))
    assert "2 tasks that have not ended are cancelled." in text
    assert "1 task that has ended stays unchanged, with its outputs." in text
    assert "You cannot undo this." in text
    assert not Task.objects.filter(status=TaskStatus.CANCELED).exists()


def test_cancelling(session_of, alice, study):
    response = session_of(alice).post(url_of(study.plan, "compute-plan-cancel"), follow=True)
    assert response.redirect_chain == [(url_of(study.plan), 302)]
    assert "Cancelled the compute plan Study." in response.content.decode()
    study.plan.refresh_from_db()
    assert study.plan.status == PlanStatus.CANCELED
    assert set(study.plan.tasks.values_list("status", flat=True)) == {TaskStatus.CANCELED}


def test_what_never_ran_is_cancelled_and_not_started(session_of, alice, study):
    browser = session_of(alice)
    html = browser.post(url_of(study.plan, "compute-plan-cancel"), follow=True).content.decode()
    study.plan.refresh_from_db()
    assert (study.plan.start_date, study.plan.end_date) == (None, study.plan.cancelation_date)
    facts, activity = text_of(html), text_of(panel(html, "activity"))
    assert "Started never Ended 2" in facts
    assert activity.count("compute plan") == 2
    assert "cancelled this compute plan" in activity
    home, listed = (
        text_of(browser.get(reverse(name)).content.decode()) for name in ("home", "activity")
    )
    for page in (facts, home, listed):
        # The choices of a filter say what can happen.
        assert "started" not in page.replace("linked started ended", "")
        assert "STATUS_" not in page
        assert "canceled" not in page
    assert "ended compute plan" not in home


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(("who", "text"), NOT_FOR.items())
def test_cancelling_is_refused(session_of, study, request, method, who, text):
    browser = session_of(request.getfixturevalue(who))
    response = getattr(browser, method)(url_of(study.plan, "compute-plan-cancel"))
    assert response.status_code == (200 if method == "get" else 422)
    html = response.content.decode()
    assert text in html.lower().replace("myorg1msp", "MyOrg1MSP")
    assert "Cancel this compute plan" not in html
    study.plan.refresh_from_db()
    assert study.plan.status == PlanStatus.CREATED


@pytest.mark.parametrize("method", ["get", "post"])
def test_nothing_is_cancelled_twice(session_of, alice, study, method):
    browser, url = session_of(alice), url_of(study.plan, "compute-plan-cancel")
    browser.post(url)
    html = getattr(browser, method)(url).content.decode()
    assert "is cancelled already; there is nothing left to cancel." in html
    assert "Back to the compute plan" in html


# --- Small things ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (7260, "2 h 1 min"), (90000, "1 d 1 h")],
)
def test_how_long_something_took(seconds, text):
    start = base.timezone.now()
    assert duration_text(start, start + timedelta(seconds=seconds)) == text


def test_what_has_not_started_takes_no_time():
    assert duration_text(None, None) == ""


@pytest.mark.parametrize(
    "counts",
    [
        {TaskStatus.DONE: 1},
        {TaskStatus.DONE: 9999, TaskStatus.FAILED: 1},
        dict.fromkeys(TaskStatus, 3),
        {status: number for number, status in enumerate(TaskStatus)},
        {},
    ],
)
def test_the_bar_is_full_and_shows_every_status(counts):
    found = shares(counts)
    assert {share.status: share.tasks for share in found} == {
        status: count for status, count in counts.items() if count
    }
    assert all(share.width > 5 for share in found)
    ends = [0, *(share.x + share.width for share in found)]
    assert [share.x for share in found] == ends[:-1]
    assert ends[-1] == (BAR_WIDTH if found else 0)
