"""Lists: as many statements for thirty rows as for three, and at most ten. With authentication."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.builders import (
    MODEL_OUTPUT,
    PERFORMANCE_OUTPUT,
    make_dataset,
    make_function,
    make_model,
    make_performance,
    make_plan,
    make_samples,
    only_to,
)
from tests.rules.world import B, C

pytestmark = pytest.mark.postgresql

# The statements of each list: one for the token, one for the page, and for tasks one for their
# inputs and one for their functions. The first of several pages takes one or two more, to count the
# rows.
LISTS = {
    "data_manager": 2,
    "data_sample": 2,
    "function": 2,
    "compute_plan": 2,
    "task": 4,
    "model": 2,
    "performance": 2,
    "news_feed": 2,
}
AT_MOST = 10


def _fill(world, count: int) -> None:
    """Register `count` of everything, each with permissions, names and references of its own."""
    for n in range(count):
        permissions = only_to(*(B, C)[: n % 3])
        dataset = make_dataset(world.alice, name=f"d{n}", permissions=permissions)
        samples = make_samples(world.alice, dataset.key, world.dataset.key)
        function = make_function(
            world.alice,
            permissions=permissions,
            inputs=(),
            outputs=(MODEL_OUTPUT, PERFORMANCE_OUTPUT),
            metadata={"n": str(n)},
        )
        task = world.simple(function, compute_plan_key=None)
        child = world.child(task, compute_plan_key=None)
        make_plan(world.alice, task, child, world.task(compute_plan_key=None), name=f"p{n}")
        make_model(task.key)
        make_performance(task.key, n)
        assert samples


def _statements(client, url) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


@pytest.mark.parametrize("resource", LISTS)
def test_list(resource, world, api, django_assert_num_queries):
    _fill(world, 3)
    with django_assert_num_queries(LISTS[resource]):
        few = api.get(f"/api/{resource}/").json()["count"]
    _fill(world, 27)
    with django_assert_num_queries(LISTS[resource]):
        many = api.get(f"/api/{resource}/").json()["count"]
    assert few >= 3
    assert many >= 30
    assert LISTS[resource] + 2 <= AT_MOST


PARAMS = {
    "data_manager": "match=d&can_process=MyOrg1MSP&ordering=-name&owner=MyOrg1MSP",
    "data_sample": "owner=MyOrg1MSP&ordering=-creation_date",
    "function": "match=train&permissions=MyOrg1MSP",
    "compute_plan": "status=PLAN_STATUS_CREATED&duration_max=9&ordering=-duration&worker=MyOrg1MSP",
    "task": "status=STATUS_WAITING_FOR_BUILDER_SLOT&ordering=function__name&rank=0,1",
    "model": "permissions=MyOrg1MSP",
    "performance": "status=PLAN_STATUS_CREATED&ordering=task_round",
    "news_feed": "important_news_only=false",
}


@pytest.mark.parametrize("resource", LISTS)
def test_filtered_list(resource, world, api, django_assert_max_num_queries):
    """Filters add no statement; an order by what is no column adds one, for the keys."""
    _fill(world, 3)
    with django_assert_max_num_queries(LISTS[resource] + ("=-duration" in PARAMS[resource])):
        assert api.get(f"/api/{resource}/?{PARAMS[resource]}").status_code == 200


NESTED = ["task", "functions", "perf", "workflow_graph"]


@pytest.mark.parametrize("nested", NESTED)
def test_what_belongs_to_a_plan(nested, world, api, django_assert_num_queries):
    def plan_of(count):
        function = world.making(MODEL_OUTPUT, PERFORMANCE_OUTPUT)
        roots = [world.simple(function, compute_plan_key=None) for _ in range(count)]
        children = [world.child(root, compute_plan_key=None) for root in roots]
        plan = make_plan(world.alice, *roots, *children)
        for root in roots:
            make_performance(root.key, 1)
        return plan

    urls = [f"/api/compute_plan/{plan_of(count).key}/{nested}/" for count in (3, 30)]
    statements = _statements(api, urls[0])
    assert statements <= AT_MOST
    with django_assert_num_queries(statements):
        assert api.get(urls[1]).status_code == 200


@pytest.mark.parametrize("which", ["input", "output"])
def test_what_belongs_to_a_task(which, world, api, django_assert_num_queries):
    def task_with(count):
        parents = [world.registered(world.task()) for _ in range(count)]
        for parent in parents:
            make_model(parent.key)
        child = world.registered(world.child(*parents))
        for _ in range(count):
            make_model(child.key)
        return child

    urls = [f"/api/task/{task_with(count).key}/{which}_assets/" for count in (3, 30)]
    statements = _statements(api, urls[0])
    assert statements <= AT_MOST
    with django_assert_num_queries(statements):
        assert len(api.get(urls[1]).json()["results"]) == 30


DETAILS = {
    "data_manager": 2,
    "data_sample": 2,
    "function": 2,
    "compute_plan": 2,
    "task": 4,
    "model": 2,
}


@pytest.mark.parametrize(("resource", "count"), DETAILS.items())
def test_retrieve(resource, count, world, api, django_assert_num_queries):
    _fill(world, 3)
    key = api.get(f"/api/{resource}/").json()["results"][0]["key"]
    with django_assert_num_queries(count):
        assert api.get(f"/api/{resource}/{key}/").status_code == 200


@pytest.mark.parametrize("address", ["data_manager/{}/opener/", "data_manager/{}/description/"])
def test_download(address, world, api, django_assert_num_queries):
    """The token, the file's row with its permissions, and the event."""
    url = f"/api/{address.format(world.dataset.key)}"
    with django_assert_num_queries(3):
        list(api.get(url).streaming_content)
