"""The order of lists: by every field that has one, and by metadata. Contract 2.0."""

from datetime import timedelta

import pytest
from django.utils import timezone

from assets.compute.models import ComputePlan
from assets.compute.registration import register_tasks
from assets.compute.statuses import TaskStatus
from tests.builders import (
    PUBLIC,
    make_dataset,
    make_function,
    make_model,
    make_plan,
    make_samples,
    set_status,
    training_task,
)
from tests.rules.world import world_of_cast

pytestmark = [pytest.mark.postgresql, pytest.mark.usefixtures("ordered")]


@pytest.fixture(scope="module")
def ordered(shared_rows) -> None:
    """Three of everything, Bob's in the middle, whose fields sort in different ways."""
    now, world = timezone.now(), world_of_cast()
    for n, (actor, name) in enumerate(((world.alice, "b"), (world.bob, "c"), (world.alice, "a"))):
        dataset = make_dataset(actor, name=name)
        samples = make_samples(actor, dataset.key)
        function = make_function(actor, name=name, permissions=PUBLIC)
        metadata = {} if n == 1 else {"n": str(9 - n)}
        plan = make_plan(actor, name=name, tag=f"tag {name}", metadata=metadata)
        task = training_task(dataset, samples, function, compute_plan_key=plan.key, tag=name)
        key = register_tasks([task], actor)[0]
        dates = {"start_date": now + timedelta(n), "end_date": now + timedelta(n + 5 - 2 * n)}
        set_status([key], TaskStatus.DONE, **dates)
        ComputePlan.objects.filter(pk=plan.pk).update(**dates)
        make_model(key)


# Which order parameters a list knows, and how to find the value in an object.
ORDERS = {
    "data_manager": "creation_date key name owner",
    "data_sample": "creation_date key owner",
    "function": "creation_date key name owner",
    "compute_plan": "creation_date start_date end_date key owner status tag name duration creator",
    "task": "creation_date start_date end_date key owner rank status function__name tag "
    "compute_plan_key duration",
    "model": "creation_date key",
}
PAIRS = [(resource, field) for resource, fields in ORDERS.items() for field in fields.split()]


@pytest.mark.parametrize(("resource", "field"), PAIRS)
def test_order(resource, field, api):
    def values(ordering):
        items = api.get(f"/api/{resource}/?ordering={ordering}").json()["results"]
        if field == "creator":  # which only one's own plans show
            return [ComputePlan.objects.get(pk=item["key"]).creator.username for item in items]
        if field == "function__name":
            return [item["function"]["name"] for item in items]
        return [item[field] for item in items]

    known = values("")
    assert len(known) >= 3
    assert values(field) == sorted(known)
    assert values(f"-{field}") == sorted(known, reverse=True)


def test_order_by_several(api):
    items = api.get("/api/compute_plan/?ordering=owner,-name").json()["results"]
    assert [(item["owner"], item["name"]) for item in items] == [
        ("MyOrg1MSP", "b"),
        ("MyOrg1MSP", "a"),
        ("MyOrg2MSP", "c"),
    ]


def test_order_by_metadata(api):
    def values(ordering):
        items = api.get(f"/api/compute_plan/?ordering={ordering}").json()["results"]
        return [value for item in items if (value := item["metadata"].get("n"))]

    assert values("metadata__n") == ["7", "9"]
    assert values("-metadata__n") == ["9", "7"]


@pytest.mark.parametrize("resource", ORDERS)
def test_unknown_fields_are_dropped(resource, api):
    plain = api.get(f"/api/{resource}/").json()["results"]
    for ordering in ("nothing", "-nothing", "digest", "owner__name", ",,", "-"):
        found = api.get(f"/api/{resource}/?ordering={ordering}").json()["results"]
        assert found == plain, ordering


@pytest.mark.parametrize("key", ["", "n'x", 'n"x', "%", "__", "a.b"])
def test_order_by_metadata_that_no_one_has(key, api):
    answer = api.get("/api/compute_plan/", {"ordering": f"-metadata__{key}"})
    assert answer.json()["count"] == 3
