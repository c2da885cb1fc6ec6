"""Who may do what: every action by everybody. Contract 3.8, decision 7."""

import pytest

from assets.common.errors import Code
from assets.datasets.specs import DataSampleSpec
from tests.builders import dataset_spec, function_spec, plan_spec, upload, zip_of

from .cases import Case, everything, verify
from .interfaces import ApiInterface, RegistrationInterface
from .requests import Cancel, Link, Rename, Tasks

ACTIONS = {
    "register a dataset": lambda w: dataset_spec(),
    "register a function": lambda w: function_spec(),
    "register a plan": lambda w: plan_spec(),
    "register a sample": lambda w: DataSampleSpec(
        [w.dataset.key], {"part": upload(zip_of({"a": b"1"}))}
    ),
    "link samples": lambda w: Link([w.other_dataset.key], [w.samples[0].key]),
    "add tasks to a plan": lambda w: Tasks([w.task()]),
    "rename a dataset": lambda w: Rename(w.dataset, "New"),
    "rename a function": lambda w: Rename(w.train, "New"),
    "rename a plan": lambda w: Rename(w.plan, "New"),
    "cancel a plan": lambda w: Cancel(w.plan.key),
}
# What is not about an asset of Alice's is open to every organisation.
OWN = {"register a dataset", "register a function", "register a plan"}

OWNER_ONLY = "only its owner MyOrg1MSP may"
# Who acts, on whose behalf, and what is shown to those who may not.
EVERYBODY = {
    "alice": None,
    "ada": None,
    "victor": "your role is viewer",
    "bob": OWNER_ONLY,
    "carol": OWNER_ONLY,
}


@pytest.mark.parametrize("who", EVERYBODY)
@pytest.mark.parametrize("action", ACTIONS)
def test_right(action, who, interface, world):
    phrase = EVERYBODY[who]
    if phrase == OWNER_ONLY and action in OWN:
        phrase = None
    code = Code.FORBIDDEN if phrase else None
    verify(Case(action, ACTIONS[action], code, phrase=phrase or "", by=who), interface, world)


# The same with a value that is wrong.
BLANK = {
    "register a dataset": lambda w: dataset_spec(name=""),
    "register a function": lambda w: function_spec(name=""),
    "register a plan": lambda w: plan_spec(name=""),
    "rename a dataset": lambda w: Rename(w.dataset, ""),
    "rename a function": lambda w: Rename(w.train, ""),
    "rename a plan": lambda w: Rename(w.plan, ""),
}


def test_rights_are_checked_before_values(interface, world):
    for action, make in BLANK.items():
        first = interface.send(world.users["victor"], make(world)).problems[0]
        assert (first.code, first.message[:19]) == ("OE0102", "your role is viewer"), action


@pytest.mark.parametrize("action", ACTIONS)
def test_who_acts_for_no_one_may_do_nothing(action, world, client_of):
    """A superuser without an organisation is stopped before any request is read."""
    request = ACTIONS[action](world)
    before = everything()
    problem = RegistrationInterface(client_of).send(world.users["root"], request).problems[0]
    assert problem.code == "OE0102"
    assert "belongs to no organisation" in problem.message
    response = ApiInterface(client_of).post(ACTIONS[action](world), client_of(world.users["root"]))
    assert response.status_code == 403
    assert response.json()["detail"] == "You do not have permission to perform this action."
    assert everything() == before
