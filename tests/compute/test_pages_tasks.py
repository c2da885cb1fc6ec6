"""The page of a task: what it takes, what it has made, and why it failed."""

import json
import shlex
from uuid import uuid4

import pytest
from django.urls import reverse

from assets.compute.inputs import InputRef, grouped
from assets.compute.models import Task
from assets.compute.pages.tasks import PREVIEW_ROWS
from assets.compute.statuses import ErrorType, TaskStatus
from tests.builders import (
    make_aggregate,
    make_failure,
    make_model,
    make_performance,
    make_plan,
    make_samples,
    set_status,
    training_task,
)

from .conftest import panel, text_of

# The session, its user, the task, the function's inputs and outputs, what it takes, its outputs,
# models, performances, steps, parents and children, organisations, events; and for its progress:
# what it has reported and when runners were seen.
TASK_QUERIES = 17


def url_of(task):
    return reverse("task", args=[task.pk])


@pytest.fixture
def page_of(session_of):
    def get(user, task):
        response = session_of(user).get(url_of(task))
        assert response.status_code == 200
        return response.content.decode()

    return get


@pytest.mark.parametrize("who", ["alice", "victor", "bob", "carol", "root"])
def test_everybody_sees_it(page_of, study, request, who):
    assert "Train on MyOrg1MSP" in page_of(request.getfixturevalue(who), study.first)


def test_strangers_sign_in_first(client, study):
    response = client.get(url_of(study.first))
    assert response.status_code == 302
    assert response.url == f"{reverse('sign-in')}?next={url_of(study.first)}"


@pytest.mark.parametrize("key", ["nothing", uuid4()])
def test_missing_tasks(session_of, alice, key):
    assert session_of(alice).get(reverse("task", args=[key])).status_code == 404


def test_it_takes_nothing(session_of, alice, study):
    assert session_of(alice).post(url_of(study.first)).status_code == 405


@pytest.mark.parametrize(
    ("who", "offered"), [("alice", True), ("bob", True), ("victor", False), ("root", False)]
)
def test_registering_alike_is_offered_to_all_who_register(page_of, study, request, who, offered):
    html = page_of(request.getfixturevalue(who), study.first)
    assert (f'href="/tasks/new/?like={study.first.pk}"' in html) == offered


# --- What it says ---------------------------------------------------------------------------------


def test_facts(page_of, alice, study):
    html = page_of(alice, study.first)
    text = text_of(html)
    for words in (
        "Status waiting for builder",
        "Function Train",
        "Compute plan Study",
        "Worker MyOrg1MSP",
        "Rank 0",
        "Tag round one",
        "Started not yet",
        "registered this task",
    ):
        assert words in text
    assert f'href="/compute-plans/{study.plan.pk}/"' in html
    assert f'href="/functions/{study.train.pk}/"' in html


def test_inputs(page_of, alice, study):
    html = panel(page_of(alice, study.second), "inputs")
    assert f'<a href="/datasets/{study.dataset.pk}/">Blood counts</a>' in html
    for sample in study.samples:
        assert f'href="/data-samples/{sample.pk}/"' in html
    assert f'model of <a href="/tasks/{study.first.pk}/">Train on MyOrg1MSP</a>' in html
    assert text_of(html).endswith("shared model model of Train on MyOrg1MSP waiting for builder")


def test_inputs_left_out(page_of, alice, study):
    html = panel(page_of(alice, study.first), "inputs")
    assert "shared model none, because it is optional" in text_of(html)


def test_many_samples_are_folded(page_of, alice, study):
    samples = make_samples(alice, study.dataset.pk, count=PREVIEW_ROWS + 3)
    spec = training_task(study.dataset, samples, study.train)
    make_plan(alice, spec)
    html = panel(page_of(alice, Task.objects.get(pk=spec.key)), "inputs")
    assert html.count('href="/data-samples/') == PREVIEW_ROWS + 3
    assert "<summary>and 3 more</summary>" in html


@pytest.fixture
def taker(alice, study):
    """A task that takes the first one's model by its key, with that model."""
    set_status([study.first.pk], TaskStatus.DONE)
    model = make_model(study.first.pk)
    spec = training_task(study.dataset, study.samples, study.train)
    spec.inputs = grouped([*spec.refs, InputRef("shared", model.pk)])
    make_plan(alice, spec, name="Later")
    return Task.objects.get(pk=spec.key)


def test_models_as_inputs_lead_to_their_task(page_of, alice, study, taker):
    html = panel(page_of(alice, taker), "inputs")
    assert f'<a href="/tasks/{study.first.pk}/">task {str(study.first.pk)[:8]}</a>' in html


def test_parents_and_children(page_of, alice, study, taker):
    first, second = page_of(alice, study.first), page_of(alice, study.second)
    assert "It takes no output of another task." in panel(first, "parents")
    assert f'href="/tasks/{study.second.pk}/"' in panel(first, "children")
    assert f'href="/tasks/{taker.pk}/"' in panel(first, "children")
    assert f'href="/tasks/?parent_task_key={study.first.pk}"' in panel(first, "children")
    assert f'href="/tasks/{study.first.pk}/"' in panel(second, "parents")
    assert "done" in text_of(panel(second, "parents"))
    assert "No task takes its outputs." in panel(second, "children")
    assert f'href="/tasks/{study.first.pk}/"' in panel(page_of(alice, taker), "parents")


def test_the_list_has_all_children(session_of, alice, study, taker):
    response = session_of(alice).get(reverse("tasks"), {"parent_task_key": study.first.pk})
    found = {row.record.pk for row in response.context["table"].paginated_rows}
    assert found == {study.second.pk, taker.pk}


def test_the_first_of_many_children(page_of, alice, study):
    specs = [
        training_task(study.dataset, study.samples, study.train) for _ in range(PREVIEW_ROWS + 2)
    ]
    for spec in specs:
        spec.inputs = grouped([*spec.refs, InputRef("shared", None, study.first.pk, "model")])
    make_plan(alice, *specs, name="Later")
    html = panel(page_of(alice, study.first), "children")
    assert html.count("<tr>") == PREVIEW_ROWS + 1
    assert f"The first {PREVIEW_ROWS} of {PREVIEW_ROWS + 3}." in html


# --- What it has made -----------------------------------------------------------------------------


def test_outputs(page_of, alice, study):
    html = panel(page_of(alice, study.first), "outputs")
    assert "model model restricted MyOrg1MSP, MyOrg2MSP none yet" in text_of(html)


def test_performances(page_of, alice, study):
    make_performance(study.third.pk, 0.875)
    text = text_of(panel(page_of(alice, study.third), "outputs"))
    assert "performance performance public 0.875" in text


@pytest.mark.parametrize(
    ("who", "permitted"),
    [("alice", True), ("victor", True), ("bob", True), ("carol", False), ("root", False)],
)
def test_models_are_downloaded_by_permitted_organisations(
    session_of, study, request, who, permitted
):
    model = make_model(study.first.pk)
    browser = session_of(request.getfixturevalue(who))
    html = panel(browser.get(url_of(study.first)).content.decode(), "outputs")
    url = reverse("api:model-file", kwargs={"key": model.pk})
    assert (f'href="{url}"' in html) == permitted
    # The page promises what the API does.
    assert (browser.get(url).status_code == 200) == permitted
    if not permitted:
        assert "you belong to none" in html or "Only MyOrg1MSP, MyOrg2MSP can download" in html


def test_models_that_were_removed(page_of, alice, study):
    make_model(study.first.pk, content=b"")
    html = panel(page_of(alice, study.first), "outputs")
    assert "Deleted: it was transient" in html
    assert "/file/" not in html


def test_a_server_that_hands_out_no_models(page_of, alice, study, settings):
    settings.MODEL_EXPORT_ENABLED = False
    make_model(study.first.pk)
    html = panel(page_of(alice, study.first), "outputs")
    assert "This server does not allow downloads of models." in html
    assert "/file/" not in html


def test_who_may_do_what(page_of, alice, org_c, study):
    html = page_of(alice, study.first)
    rows = text_of(panel(html, "access"))
    assert "Organisation use model read logs" in rows
    assert "MyOrg1MSP owner you yes yes" in rows
    assert "MyOrg2MSP yes yes" in rows
    assert "MyOrg3MSP no no" in rows


# --- Why it failed --------------------------------------------------------------------------------


@pytest.fixture
def failed(study):
    """The first task, failed with logs that B may read beside A."""
    set_status([study.first.pk], TaskStatus.FAILED)
    make_failure(b"boom", task_id=study.first.pk)
    return study.first


@pytest.mark.parametrize(
    ("who", "permitted"),
    [("alice", True), ("victor", True), ("bob", True), ("carol", False), ("root", False)],
)
def test_logs_are_read_by_permitted_organisations(session_of, failed, request, who, permitted):
    browser = session_of(request.getfixturevalue(who))
    html = panel(browser.get(url_of(failed)).content.decode(), "failure")
    assert "the function failed" in html
    url = reverse("api:task-logs", kwargs={"key": failed.pk})
    assert (f'href="{url}"' in html) == permitted
    assert ("Only MyOrg1MSP, MyOrg2MSP can read the logs." in html) != permitted
    assert (browser.get(url).status_code == 200) == permitted


@pytest.mark.parametrize(("who", "permitted"), [("alice", True), ("bob", False)])
def test_logs_of_a_build_follow_the_function(session_of, study, request, who, permitted):
    set_status([study.first.pk], TaskStatus.FAILED, error_type=ErrorType.BUILD)
    make_failure(b"no wheel", function_id=study.train.pk, error_type=ErrorType.BUILD)
    browser = session_of(request.getfixturevalue(who))
    html = panel(browser.get(url_of(study.first)).content.decode(), "failure")
    assert "building the function failed" in html
    url = reverse("api:task-logs", kwargs={"key": study.first.pk})
    assert (f'href="{url}"' in html) == permitted
    assert (browser.get(url).status_code == 200) == permitted


def test_failures_without_a_report_or_logs(page_of, alice, study):
    set_status([study.first.pk], TaskStatus.FAILED)
    assert "No failure report was sent." in page_of(alice, study.first)
    make_failure(task_id=study.first.pk)
    html = page_of(alice, study.first)
    assert "The failure report has no logs." in html
    assert "/logs/" not in html


def test_tasks_that_have_not_failed_say_nothing_of_it(page_of, alice, study):
    assert not panel(page_of(alice, study.second), "failure")


# --- As code, and queries -------------------------------------------------------------------------


def test_the_code_registers_the_task_again(session_of, client_of, alice, study):
    response = session_of(alice).get(url_of(study.second), {"code": ""})
    (_, _, sdk), (_, _, curl) = response.context["snippets"]
    assert "client.add_task(TaskSpec(" in sdk
    assert f"compute_plan_key='{study.plan.pk}'" in sdk
    body = json.loads(shlex.split(curl)[-1])
    answer = client_of(alice).post("/api/task/bulk_create/", body, format="json")
    assert answer.status_code == 200, answer.content
    again = Task.objects.get(pk=body["tasks"][0]["key"])
    assert again.pk != study.second.pk
    assert again.digest == study.second.digest


@pytest.mark.parametrize("count", [2, 20])
def test_as_many_queries_for_two_as_for_twenty(
    session_of, alice, study, django_assert_num_queries, count
):
    parents = [training_task(study.dataset, study.samples, study.train) for _ in range(count)]
    function = make_aggregate(alice)
    middle = training_task(study.dataset, study.samples, function)
    middle.inputs = grouped(InputRef("models", None, parent.key, "model") for parent in parents)
    children = [training_task(study.dataset, study.samples, study.train) for _ in range(count)]
    for child in children:
        child.inputs = grouped([*child.refs, InputRef("shared", None, middle.key, "model")])
    make_plan(alice, *parents, middle, *children)
    for _ in range(count):
        make_model(middle.key)
    browser = session_of(alice)
    with django_assert_num_queries(TASK_QUERIES):
        html = browser.get(reverse("task", args=[middle.key])).content.decode()
    assert html.count("/file/") == count
