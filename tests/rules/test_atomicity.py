"""What fails half-way leaves nothing: neither rows nor files."""

import pytest

from assets.compute.registration import saving as compute
from assets.datasets.registration import datasets, samples
from assets.functions import registration as functions
from tests.builders import dataset_spec, function_spec, plan_spec

from .cases import everything
from .interfaces import ApiInterface, RegistrationInterface
from .requests import Cancel, Link, Tasks

pytestmark = pytest.mark.postgresql

# The event is written last, so when it fails everything else has been written.
LAST = {
    "a dataset": (datasets, lambda w: dataset_spec()),
    "samples": (samples, lambda w: w.samples_spec(3)),
    "links": (samples, lambda w: Link([w.other_dataset.key], [w.samples[0].key])),
    "a function": (functions, lambda w: function_spec()),
    "a plan": (compute, lambda w: plan_spec(tasks=[w.task(compute_plan_key=None)])),
    "tasks": (compute, lambda w: Tasks([w.task()])),
    "a cancel": (compute, lambda w: Cancel(w.plan.key)),
}


class PowerCut(Exception):
    """Something that no one expects."""


@pytest.mark.parametrize(("module", "build"), LAST.values(), ids=LAST)
def test_registration(module, build, world, client_of, monkeypatch):
    request = build(world)
    before = everything()

    def fail(*args, **options):
        assert everything() != before, "something was written"
        raise PowerCut

    monkeypatch.setattr(module, "record", fail)
    with pytest.raises(PowerCut):
        RegistrationInterface(client_of).send(world.alice, request)
    assert everything() == before


@pytest.mark.parametrize(("module", "build"), LAST.values(), ids=LAST)
def test_request(module, build, world, client_of, monkeypatch):
    request = build(world)
    client = client_of(world.alice)
    client.raise_request_exception = False
    before = everything()

    def fail(*args, **options):
        raise PowerCut

    monkeypatch.setattr(module, "record", fail)
    answer = ApiInterface(client_of).post(request, client)
    assert answer.status_code == 500
    assert answer.headers["Content-Type"] == "application/json"
    assert everything() == before


def test_a_file_that_cannot_be_written(world, client_of, monkeypatch):
    """The second of two files fails: the first goes too, and so does the half that was written."""
    spec = dataset_spec()

    def fail(size=-1):
        raise OSError("disk full")

    monkeypatch.setattr(spec.description.file, "read", fail)
    before = everything()
    with pytest.raises(OSError, match="disk full"):
        RegistrationInterface(client_of).send(world.alice, spec)
    assert everything() == before
