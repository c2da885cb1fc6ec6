"""Home: counts, actions, activity and what needs attention, each for those concerned."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from assets.accounts.models import ApiToken
from assets.accounts.registration.tokens import create_token
from assets.accounts.registration.users import create_user, set_active
from assets.compute.models import ComputePlan
from assets.compute.statuses import PlanStatus
from assets.functions.models import Function, FunctionStatus
from assets.overview import queries
from assets.overview.home import PREVIEW_ROWS
from tests.builders import make_dataset, make_function, make_plan, make_samples, training_task

pytestmark = pytest.mark.postgresql

# The session, its user, organisations, counts, events; plans, functions, datasets, tokens.
MEMBER_QUERIES = 10


@pytest.fixture
def home_of(session_of):
    def get(user):
        response = session_of(user).get(reverse("home"))
        assert response.status_code == 200
        return response.content.decode()

    return get


def text_of(html):
    """What a page says, without its marks."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def concern(html, heading):
    """What home says below one heading of its concerns; blank when it does not have it."""
    found = re.search(rf'<div class="concern">\s*<h3>{heading}</h3>(.*?)</div>', html, re.DOTALL)
    return text_of(found[1]) if found else ""


def test_strangers_sign_in_first(client):
    response = client.get(reverse("home"))
    assert response.status_code == 302
    assert response.url == f"{reverse('sign-in')}?next=/"


def test_no_one_sends_anything(session_of, alice):
    assert session_of(alice).post(reverse("home")).status_code == 405


# --- Counts --------------------------------------------------------------------------------------


def test_counts_by_kind_and_organisation(home_of, alice, bob):
    dataset = make_dataset(alice)
    samples = make_samples(alice, dataset.key, count=3)
    function = make_function(alice)
    tasks = [training_task(dataset, samples, function) for _ in range(2)]
    make_plan(alice, *tasks)
    make_dataset(bob)

    html = home_of(alice)
    rows = re.findall(r"<tr>(.*?)</tr>", html, re.DOTALL)
    assert [text_of(row) for row in rows if "First hospital" in row] == [
        "First hospital you 1 3 1 1 2"
    ]
    assert [text_of(row) for row in rows if "Second hospital" in row] == [
        "Second hospital 1 0 0 0 0"
    ]
    assert [text_of(row) for row in rows if ">All<" in row] == ["All 2 3 1 1 2"]
    assert f'href="{reverse("tasks")}?owner=MyOrg1MSP"' in html


def test_tasks_are_not_counted_row_by_row(session_of, alice, django_assert_num_queries):
    make_dataset(alice)
    browser = session_of(alice)
    with django_assert_num_queries(MEMBER_QUERIES) as asked:
        browser.get(reverse("home"))
    assert not [query for query in asked.captured_queries if '"assets_task"' in query["sql"]]


def test_many_assets_are_counted_now_and_then(session_of, alice, monkeypatch):
    monkeypatch.setattr("assets.accounts.queries.MANY", 1)
    browser = session_of(alice)
    totals = []
    for _ in range(3):
        make_dataset(alice)
        page = browser.get(reverse("home"))
        totals.append({kind.label: count for kind, count in page.context["counts"].totals})
    # The first is not many yet; the second is counted again.
    assert [total["Datasets"] for total in totals] == [1, 2, 2]


# --- Who may -------------------------------------------------------------------------------------

REGISTER = ["dataset-new", "data-sample-new", "function-new", "compute-plan-new", "task-new"]


@pytest.mark.parametrize(
    ("who", "offered"), [("alice", True), ("ada", True), ("victor", False), ("root", False)]
)
def test_registering_is_offered_to_those_who_may(request, home_of, who, offered):
    html = home_of(request.getfixturevalue(who))
    assert [f'href="{reverse(name)}"' in html for name in REGISTER] == [offered] * len(REGISTER)


def test_superuser_without_organisation(home_of, root, alice):
    make_dataset(alice)
    message = text_of(home_of(root))
    assert "You act for no organisation" in message
    assert "First steps" not in message


# --- First steps ---------------------------------------------------------------------------------


def test_empty_platform_begins_with_organisations(home_of, no_cast):
    root = create_user("root", organization=None, is_superuser=True)
    html = home_of(root)
    assert reverse("organization-new") in html
    assert "Assets by organisation" not in html


def test_first_steps_until_something_is_registered(home_of, alice, bob):
    make_dataset(bob)
    assert "First steps for MyOrg1MSP" in home_of(alice)
    make_dataset(alice)
    assert "First steps" not in home_of(alice)


def test_viewers_are_given_no_steps(home_of, victor):
    assert "First steps" not in home_of(victor)


# --- Activity ------------------------------------------------------------------------------------


def test_recent_activity(home_of, alice, bob):
    make_dataset(bob, name="From the other ward")
    assert "registered dataset From the other ward" in text_of(home_of(alice))


# --- What needs attention ------------------------------------------------------------------------


def fail_plan(actor):
    plan = ComputePlan.objects.filter(pk=make_plan(actor).pk)
    plan.update(status=PlanStatus.FAILED, end_date=timezone.now())


def fail_function(actor):
    function = Function.objects.filter(pk=make_function(actor, name="Broken").pk)
    function.update(status=FunctionStatus.FAILED)


CONCERNS = {
    "Failed compute plans": (fail_plan, "Study"),
    "Functions that could not be built": (fail_function, "Broken"),
    "Datasets without data samples": (make_dataset, "Blood counts"),
}


@pytest.mark.parametrize("heading", CONCERNS)
def test_own_matters_concern(home_of, alice, bob, victor, root, heading):
    make, name = CONCERNS[heading]
    make(alice)
    for user, shown in [(alice, True), (victor, True), (bob, False), (root, False)]:
        assert (name in concern(home_of(user), heading)) == shown, user.username


def test_nothing_needs_attention(home_of, alice):
    dataset = make_dataset(alice)
    make_samples(alice, dataset.key)
    make_function(alice)
    make_plan(alice)
    html = home_of(alice)
    assert 'class="concern"' not in html
    assert "Nothing needs your attention" in text_of(html)


def test_failures_are_forgotten_after_a_while(home_of, alice, monkeypatch):
    fail_plan(alice)
    fail_function(alice)
    assert 'class="concern"' in home_of(alice)
    monkeypatch.setattr(queries, "FAILURES_SHOWN_FOR", timedelta(0))
    assert 'class="concern"' not in home_of(alice)


def test_failed_task_is_named(home_of, alice):
    dataset = make_dataset(alice)
    task = training_task(dataset, make_samples(alice, dataset.key), make_function(alice))
    plan = make_plan(alice, task)
    ComputePlan.objects.filter(pk=plan.pk).update(
        status=PlanStatus.FAILED, end_date=timezone.now(), failed_task_key=task.key
    )
    assert reverse("task", args=[task.key]) in home_of(alice).split("Recent activity")[0]


def test_samples_are_added_by_those_who_may(home_of, alice, victor):
    link = f"{reverse('data-sample-new')}?dataset={make_dataset(alice).key}"
    assert link in home_of(alice)
    assert link not in home_of(victor)


@pytest.mark.parametrize(
    ("days", "kind", "message"),
    [
        (-1, ApiToken.Kind.NAMED, "expired"),
        (6, ApiToken.Kind.NAMED, "expires"),
        (8, ApiToken.Kind.NAMED, ""),
        (6, ApiToken.Kind.IMPLICIT, ""),
    ],
)
def test_own_tokens_that_expire(home_of, alice, ada, days, kind, message):
    soon = timezone.now() + timedelta(days=days)
    create_token(alice, expires_at=timezone.now() + timedelta(days=1), kind=kind, note="Notebook")
    ApiToken.objects.update(expires_at=soon, created_at=soon - timedelta(days=30))
    shown = concern(home_of(alice), "API tokens that expire soon")
    assert bool(shown) == bool(message)
    assert f"Notebook {message}" in shown if message else shown == ""
    assert not concern(home_of(ada), "API tokens that expire soon")


def test_admins_are_shown_who_cannot_sign_in(home_of, ada, alice, org_a, org_b):
    create_user("newcomer", organization=org_a)
    create_user("elsewhere", organization=org_b)
    robot = create_user("robot", organization=org_a)
    create_token(robot, expires_at=timezone.now() + timedelta(days=90))
    set_active(create_user("gone", organization=org_a), False, ada)

    shown = concern(home_of(ada), "Users who cannot sign in yet")
    assert "newcomer" in shown
    assert not [name for name in ("elsewhere", "robot", "gone", "alice") if name in shown]
    assert not concern(home_of(alice), "Users who cannot sign in yet")


def test_of_many_matters_a_few_are_shown(home_of, alice):
    for number in range(PREVIEW_ROWS + 1):
        make_dataset(alice, name=f"Set {number}")
    shown = concern(home_of(alice), "Datasets without data samples")
    assert shown.count("Add data samples") == PREVIEW_ROWS
    assert "View all" in shown


# --- Queries -------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [2, 20])
@pytest.mark.parametrize(
    ("who", "asked"),
    [
        ("alice", MEMBER_QUERIES),
        ("victor", MEMBER_QUERIES),
        ("ada", MEMBER_QUERIES + 3),
        ("root", 7),
    ],
)
def test_queries_do_not_grow(
    request, session_of, alice, who, asked, count, django_assert_num_queries
):
    for number in range(count):
        dataset = make_dataset(alice, name=f"Set {number}")
        make_samples(alice, dataset.key)
        fail_function(alice)
        fail_plan(alice)
    browser = session_of(request.getfixturevalue(who))
    with django_assert_num_queries(asked):
        browser.get(reverse("home"))
