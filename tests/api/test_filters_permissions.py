"""What lists keep when they are asked for what somebody may use. Contract 2.3, 2.5."""

import pytest

from tests.builders import PUBLIC, make_dataset, make_function, only_to
from tests.rules.world import A, B, C, world_of_cast

pytestmark = [pytest.mark.postgresql, pytest.mark.usefixtures("permitted")]


@pytest.fixture(scope="module")
def permitted(shared_rows) -> None:
    """Datasets and functions under different permissions, which their names repeat."""
    world = world_of_cast()
    given = {
        "private": only_to(),
        "to B": only_to(B),
        "to B and C": only_to(B, C),
        "public": PUBLIC,
    }
    for name, permissions in given.items():
        make_dataset(world.alice, name=name, permissions=permissions, logs_permission=permissions)
        make_function(world.alice, name=name, permissions=permissions)


PERMITTED = [
    ("can_process", A, "private, to B, to B and C, public"),
    ("can_process", B, "to B, to B and C, public"),
    ("can_process", f"{B},{C}", "to B and C, public"),
    ("can_process", f"{A},{B}", "to B, to B and C, public"),
    ("can_process", f"{B},{B}", "to B, to B and C, public"),
    ("can_process", "unknown", "public"),
    ("can_process", "", "private, to B, to B and C, public"),
    ("permissions", B, "to B, to B and C, public"),
    ("permissions", C, "to B and C, public"),
    ("permissions", f"{C},no one", "to B and C, public"),
    ("permissions", "unknown", "public"),
]


@pytest.mark.parametrize("resource", ["data_manager", "function"])
@pytest.mark.parametrize(("param", "value", "names"), PERMITTED)
def test_permission_filter(resource, param, value, names, api):
    items = api.get(f"/api/{resource}/", {param: value}).json()["results"]
    assert ", ".join(item["name"] for item in items) == names


@pytest.mark.parametrize(
    ("value", "names"), [row[1:] for row in PERMITTED if row[0] == "can_process"]
)
def test_logs_permission_filter(value, names, api):
    items = api.get("/api/data_manager/", {"can_access_logs": value}).json()["results"]
    assert ", ".join(item["name"] for item in items) == names
