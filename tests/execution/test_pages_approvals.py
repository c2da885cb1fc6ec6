"""The pages of approvals: what one reads before one decides, who decides, and what follows."""

import re
from typing import Any

import pytest
from django.urls import reverse

from assets.compute.models import Task
from assets.compute.specs import OutputSpec
from assets.execution.models import Approval
from assets.execution.queries.approvals import Policy
from assets.execution.registration.approvals import set_policy
from assets.permissions.specs import PermissionsSpec
from tests import builders
from tests.cast import A, B, C

from .study import Study

pytestmark = pytest.mark.django_db

APPROVALS = "/approvals/"
REASON = "Ask the ethics board first."
KINDS = {"plan": (Policy.PLANS, "compute-plan"), "function": (Policy.FUNCTIONS, "function")}


@pytest.fixture
def study(db) -> Study:
    return Study()


def pages_of(study: Study, kind: str) -> tuple[str, str]:
    """Return the pages that review and decline; A asks for these approvals from now on."""
    policy, page = KINDS[kind]
    set_policy(policy, study.ada)
    asset = study.plan if kind == "plan" else study.function
    return reverse(f"{page}-approval", args=[asset.pk]), reverse(f"{page}-decline", args=[asset.pk])


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def digest_in(answer: Any) -> str:
    return re.findall(r'name="digest" value="([0-9a-f]{64})"', answer.content.decode())[0]


# --- The list ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "decides"), [("ada", True), ("alice", False), ("victor", False)])
@pytest.mark.parametrize("kind", KINDS)
def test_what_waits_is_listed(kind, name, decides, study, session_of, request):
    review, _ = pages_of(study, kind)
    browser = session_of(request.getfixturevalue(name))
    page = browser.get(APPROVALS)
    (row,) = page.context["rows"]
    assert (row["asset_owner"], row["tasks"]) == (B, 2)
    assert f'href="{review}"' in page.content.decode()
    assert ("Admins of your organisation decide." in page.content.decode()) != decides
    # The navigation counts it for who decides.
    assert ('Approvals <span class="tag tag-accent">1</span>' in page.content.decode()) == decides
    home = browser.get("/").content.decode()
    assert ("Awaiting your approval" in home) == (f'href="{review}"' in home) == decides


def test_nothing_waits_where_no_approval_is_asked_for(study, session_of, ada):
    browser = session_of(ada)
    assert "asks for no approvals" in browser.get(APPROVALS).content.decode()
    set_policy(Policy.PLANS, ada)
    study.approve()
    page = browser.get(APPROVALS)
    assert "Nothing awaits your approval" in page.content.decode()
    assert [row.compute_plan for row in page.context["decided"]] == [study.plan]


def test_others_have_their_own_list(study, session_of, bob, root):
    set_policy(Policy.PLANS, study.ada)
    page = session_of(bob).get(APPROVALS)
    assert not page.context["rows"]
    assert session_of(root).get(APPROVALS).status_code == 403


# --- The review ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_one_reads_what_would_happen(kind, study, session_of, ada):
    shared = {"model": OutputSpec(builders.only_to(C), transient=True)}
    public = {"model": OutputSpec(PermissionsSpec(public=True))}
    study.add(
        *(
            study.task(compute_plan_key=study.plan.key, outputs=outputs)
            for outputs in (shared, shared, public)
        )
    )
    review, _ = pages_of(study, kind)
    page = session_of(ada).get(review)
    text = text_of(page)
    assert "5 tasks wait for your approval" in text
    assert study.function.archive_checksum in page.content.decode()
    (dataset,) = page.context["datasets"]
    assert (dataset, dataset.tasks, dataset.samples) == (study.dataset, 5, 2)
    assert "5 of 5 models may leave MyOrg1MSP:" in text
    assert "everyone may use 1" in text
    # B registered the tasks, so it may use what they make.
    assert f"{B} may use 4" in text
    assert f"{C} may use 2" in text
    assert f"{A}, {B}, {C} 2" in text


def test_tasks_of_others_that_take_ones_models(study, session_of, ada):
    function = study.ready(builders.make_aggregate(study.bob))
    outputs = {"model": OutputSpec(builders.only_to(B))}
    parents = [study.task(compute_plan_key=study.plan.key, outputs=outputs) for _ in "ab"]
    child = builders.aggregate_task(function, B, *parents, compute_plan_key=study.plan.key)
    study.add(*parents, child)
    review, _ = pages_of(study, "plan")
    assert f"1 task of {B} takes some of them" in text_of(session_of(ada).get(review))


def test_files_are_read_as_permissions_say(study, session_of, ada):
    review, _ = pages_of(study, "plan")
    assert f"not permitted to you; ask {B} for them" in text_of(session_of(ada).get(review))
    open_code = builders.make_function(study.bob, permissions=builders.PUBLIC)
    study.add(study.task(open_code, compute_plan_key=study.plan.key))
    assert (
        f'href="/functions/{open_code.pk}/#files-heading"'
        in session_of(ada).get(review).content.decode()
    )


QUERIES = {"plan": 17, "function": 16}


@pytest.mark.parametrize("tasks", [1, 15])
@pytest.mark.parametrize("kind", KINDS)
def test_queries_of_a_review(kind, tasks, study, session_of, ada, django_assert_num_queries):
    study.add(*(study.task(compute_plan_key=study.plan.key) for _ in range(tasks)))
    review, _ = pages_of(study, kind)
    browser = session_of(ada)
    with django_assert_num_queries(QUERIES[kind]):
        browser.get(review)
    with django_assert_num_queries(7):
        browser.get(APPROVALS)


@pytest.mark.parametrize(
    ("logs_permission", "sentence"),
    [
        (builders.PUBLIC, "If a task fails, everyone may read the end of what it prints."),
        (builders.only_to(B), f"If a task fails, {B} may read the end of what it prints."),
        (builders.PRIVATE, None),
    ],
    ids=["public", "shared", "private"],
)
def test_who_may_read_logs(logs_permission, sentence, study, session_of, ada):
    study.dataset = builders.make_dataset(
        study.alice, permissions=builders.PUBLIC, logs_permission=logs_permission
    )
    study.samples = builders.make_samples(study.alice, study.dataset.key)
    plan = builders.make_plan(study.bob, study.task())
    page = text_of(session_of(ada).get(f"/compute-plans/{plan.key}/approval/"))
    assert (sentence in page) if sentence else ("what it prints" not in page)


# --- Deciding ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_approving(kind, study, session_of, ada):
    review, _ = pages_of(study, kind)
    browser = session_of(ada)
    answer = browser.post(review, {"digest": digest_in(browser.get(review))}, follow=True)
    assert answer.redirect_chain == [(APPROVALS, 302)]
    assert not answer.context["rows"]
    assert study.runnable() == 2
    page = text_of(browser.get(review))
    assert "approved by ada" in page
    assert "No task waits for your approval." in page


def test_what_was_added_meanwhile_is_shown_again(study, session_of, ada):
    review, _ = pages_of(study, "plan")
    browser = session_of(ada)
    seen = digest_in(browser.get(review))
    study.add()
    answer = browser.post(review, {"digest": seen})
    assert answer.status_code == 422
    assert "Tasks were added since you opened this page" in answer.content.decode()
    assert "3 tasks wait for your approval" in text_of(answer)
    assert not study.runnable()
    assert browser.post(review, {"digest": digest_in(answer)}).status_code == 302
    assert study.runnable() == 3


@pytest.mark.parametrize("kind", KINDS)
def test_declining(kind, study, session_of, ada, victor):
    review, decline = pages_of(study, kind)
    browser = session_of(ada)
    assert f'href="{decline}"' in browser.get(review).content.decode()
    assert "2 tasks on your data that do not run yet are cancelled" in text_of(browser.get(decline))
    answer = browser.post(decline, {"reason": ""})
    assert answer.status_code == 422
    assert "Say why" in answer.content.decode()
    answer = browser.post(decline, {"reason": REASON}, follow=True)
    assert answer.redirect_chain == [(APPROVALS, 302)]
    assert REASON in answer.content.decode()
    # Everyone reads the reason at the plan and at its tasks.
    task = Task.objects.filter(worker=A).first()
    for url in (f"/compute-plans/{study.plan.pk}/", f"/tasks/{task.pk}/"):
        page = session_of(victor).get(url).content.decode()
        assert f"Declined by {A}: {REASON}" in page


def test_what_waits_says_so(study, session_of, bob, ada):
    set_policy(Policy.PLANS, ada)
    task = Task.objects.filter(worker=A).first()
    for url in (f"/compute-plans/{study.plan.pk}/", f"/tasks/{task.pk}/"):
        assert f"Waits for approval by {A}." in session_of(bob).get(url).content.decode()
        assert "your organisation's approval" in session_of(ada).get(url).content.decode()
    listed = f"/tasks/?compute_plan_key={study.plan.pk}"
    assert session_of(bob).get(listed).content.decode().count("waiting for approval</span>") == 2
    study.approve()
    assert "waiting for approval</span>" not in session_of(bob).get(listed).content.decode()
    for url in (f"/compute-plans/{study.plan.pk}/", f"/tasks/{task.pk}/"):
        assert "Waits for approval" not in session_of(bob).get(url).content.decode()


@pytest.mark.parametrize("name", ["alice", "victor", "bob", "root"])
@pytest.mark.parametrize("kind", KINDS)
def test_who_may_not_decide(kind, name, study, session_of, request):
    review, decline = pages_of(study, kind)
    seen = digest_in(session_of(study.ada).get(review))
    browser = session_of(request.getfixturevalue(name))
    page = browser.get(review)
    assert (page.status_code == 403) == (name == "root")
    assert '<button class="btn btn-primary">' not in page.content.decode()
    assert decline not in page.content.decode()
    assert browser.post(review, {"digest": seen}).status_code in (403, 422)
    assert browser.post(decline, {"reason": REASON}).status_code in (403, 422)
    assert not Approval.objects.exists()
    assert study.waiting() == 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_review_that_no_one_asked_for(kind, study, session_of, ada):
    review, decline = pages_of(study, kind)
    set_policy(Policy.ALL, ada)
    browser = session_of(ada)
    assert "do not wait for this decision" in text_of(browser.get(review))
    answer = browser.post(decline, {"reason": REASON})
    assert "does not ask for this approval" in answer.content.decode()
    assert not Approval.objects.exists()


def test_a_plan_that_is_not_about_ones_data(study, session_of, ada):
    set_policy(Policy.PLANS, ada)
    plan = builders.make_plan(study.bob, study.task_of_b())
    url = reverse("compute-plan-approval", args=[plan.pk])
    assert "No task of it runs on your data." in session_of(ada).get(url).content.decode()
    assert session_of(ada).post(url, {"digest": ""}).status_code == 422
