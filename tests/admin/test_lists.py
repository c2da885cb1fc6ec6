"""Lists of the admin: as many queries for 30 rows as for 3, and what finds rows finds them."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from assets.accounts.models import Role
from assets.accounts.registration.organizations import create_organization
from assets.accounts.registration.tokens import create_token
from assets.accounts.registration.users import create_user
from assets.compute.models import Task
from assets.compute.specs import OutputSpec, TaskSpec
from assets.permissions.registration import intern_permissions
from tests.builders import (
    MODEL_OUTPUT,
    PERFORMANCE_OUTPUT,
    PUBLIC,
    aggregate_task,
    make_dataset,
    make_failure,
    make_function,
    make_model,
    make_performance,
    make_plan,
    make_samples,
    only_to,
    upload,
)
from tests.rules.world import A, B, World

from .interface import admin_url

pytestmark = pytest.mark.postgresql


def _datasets(world: World, numbers: range) -> None:
    for n in numbers:
        make_dataset(world.alice, name=f"Dataset {n}", permissions=only_to(B) if n % 2 else PUBLIC)


def _samples(world: World, numbers: range) -> None:
    for _ in numbers:
        make_samples(world.alice, world.dataset.key)


def _functions(world: World, numbers: range) -> None:
    for n in numbers:
        make_function(world.bob if n % 2 else world.alice, name=f"Function {n}")


def _plans(world: World, numbers: range) -> None:
    for n in numbers:
        make_plan(world.alice, name=f"Plan {n}")


def _tasks(world: World, numbers: range) -> Iterator[TaskSpec]:
    """Make tasks, each in a plan of its own, and return them; they make a model and a number."""
    function = world.making(MODEL_OUTPUT, PERFORMANCE_OUTPUT)
    for n in numbers:
        outputs = {"model": OutputSpec(PUBLIC), "performance": OutputSpec(PUBLIC)}
        task = aggregate_task(function, B if n % 2 else A, outputs=outputs)
        make_plan(world.alice, task)
        yield task


def _models(world: World, numbers: range) -> None:
    for task in _tasks(world, numbers):
        make_model(task.key)


def _performances(world: World, numbers: range) -> None:
    for task in _tasks(world, numbers):
        make_performance(task.key, 0.5)


def _failures(world: World, numbers: range) -> None:
    for task in _tasks(world, numbers):
        make_failure(b"logs", task_id=task.key)


def _organizations(world: World, numbers: range) -> None:
    for n in numbers:
        create_organization(f"Org{n}")


def _users(world: World, numbers: range) -> None:
    for n in numbers:
        create_user(f"user{n}", organization=world.alice.organization, role=Role.VIEWER)


def _tokens(world: World, numbers: range) -> None:
    for n in numbers:
        user = create_user(f"user{n}", organization=world.alice.organization)
        create_token(user, expires_at=timezone.now() + timedelta(days=1))


def _permissions(world: World, numbers: range) -> None:
    intern_permissions([only_to(A, f"Org{n}") for n in numbers])


MAKERS = {
    "dataset": _datasets,
    "datasample": _samples,
    "function": _functions,
    "computeplan": _plans,
    "task": _tasks,
    "model": _models,
    "performance": _performances,
    "failurereport": _failures,
    "organization": _organizations,
    "user": _users,
    "apitoken": _tokens,
    "event": _datasets,
    "permissions": _permissions,
}


def _queries(browser, url: str) -> list[str]:
    browser.get(url)  # fills the caches that live from request to request
    with CaptureQueriesContext(connection) as captured:
        response = browser.get(url)
    assert response.status_code == 200
    assert response.context["cl"].result_count == len(response.context["cl"].result_list)
    return [query["sql"] for query in captured.captured_queries]


@pytest.mark.parametrize("kind", MAKERS)
def test_no_query_per_row(kind, world, session_of):
    browser = session_of(world.users["root"])
    url = admin_url(kind, "changelist")
    list(MAKERS[kind](world, range(3)) or ())
    few = _queries(browser, url)
    list(MAKERS[kind](world, range(3, 30)) or ())
    many = _queries(browser, url)
    assert len(many) == len(few), "\n".join(many)


# What is typed into the search of a list, and which asset it finds.
SEARCHES = {
    "dataset by name": ("dataset", "dataset", lambda asset: "blood"),
    "dataset by key": ("dataset", "dataset", lambda asset: str(asset.key)),
    "dataset by the opener's checksum": ("dataset", "dataset", lambda asset: asset.opener_checksum),
    "sample by key": ("datasample", "sample", lambda asset: str(asset.key)[:13]),
    "sample by its dataset": ("datasample", "sample", lambda asset: "Blood"),
    "function by name": ("function", "train", lambda asset: "TRAIN"),
    "plan by tag": ("computeplan", "plan", lambda asset: "first"),
    "task by its function": ("task", "task_row", lambda asset: "Train"),
    "task by its plan": ("task", "task_row", lambda asset: str(asset.compute_plan_id)),
}


@pytest.mark.parametrize(("kind", "name", "term"), SEARCHES.values(), ids=SEARCHES)
def test_search(kind, name, term, world, session_of):
    make_dataset(world.alice, name="Other", data_opener=upload(b"other"))
    make_function(world.alice, name="Other")
    make_plan(world.alice, tag="Other")
    make_samples(world.bob, world.bobs_dataset().key)
    asset = {
        "sample": lambda: world.samples[0],
        "task_row": lambda: Task.objects.get(pk=world.parent.key),
    }.get(name, lambda: getattr(world, name))()
    browser = session_of(world.alice)
    found = browser.get(admin_url(kind, "changelist"), {"q": term(asset)})
    assert asset in found.context["cl"].result_list
    nothing = browser.get(admin_url(kind, "changelist"), {"q": "no such words"})
    assert not nothing.context["cl"].result_list


FILTERS = {
    "owner": ("dataset", "owner__id__exact", A, B),
    "permissions": ("dataset", "permissions__public__exact", 0, 1),
    "type": ("dataset", "type", "tabular", "images"),
    "function's status": ("function", "status__exact", "FUNCTION_STATUS_WAITING", "x"),
    "plan's status": ("computeplan", "status__exact", "PLAN_STATUS_CREATED", "PLAN_STATUS_DONE"),
    "worker": ("task", "worker__id__exact", A, B),
    "year": ("task", "creation_date__year", timezone.now().year, 1999),
    "plan": ("task", "compute_plan", None, "11111111-1111-4111-8111-111111111111"),
    "event's asset": ("event", "asset_key", None, "11111111-1111-4111-8111-111111111111"),
}


@pytest.mark.parametrize(("kind", "field", "some", "none"), FILTERS.values(), ids=FILTERS)
def test_filters(kind, field, some, none, world, session_of):
    task = world.parent
    keys = {"compute_plan": task.compute_plan_key, "asset_key": task.key}
    browser = session_of(world.alice)
    for value, expected in ((some or keys.get(field, some), True), (none, False)):
        page = browser.get(admin_url(kind, "changelist"), {field: value})
        assert page.status_code == 200
        assert bool(page.context["cl"].result_list) == expected
