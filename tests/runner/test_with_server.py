"""Two organisations' runners and the real server: a study from its registration to its end."""

import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection

from assets.accounts.models import Organization
from assets.accounts.registration.runners import create_runner
from assets.common.files.digest import folder_digest
from assets.compute.models import ComputePlan, FailureReport, Model, ProfilingStep, Task
from assets.compute.specs import OutputSpec
from assets.compute.statuses import PlanStatus
from assets.datasets.models import DataSample
from assets.execution.models import Trial
from assets.execution.registration.trials import begin_trial
from assets.execution.specs import TrialSpec
from assets.runner.cache import Cache
from assets.runner.client import Client
from assets.runner.connection import Connection
from assets.runner.engines import Limits, Outcome
from assets.runner.program import Program
from assets.runner.samples import DataRoot
from assets.runner.work import Worker
from tests.builders import (
    MODEL_OUTPUT,
    PERFORMANCE_OUTPUT,
    aggregate_task,
    make_aggregate,
    make_dataset,
    make_function,
    make_plan,
    make_samples,
    make_samples_at_runner,
    only_to,
    training_task,
    upload,
)
from tests.cast import A, B

from .engine import FakeEngine
from .test_program import ARCHIVE

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgresql,
    pytest.mark.skipif(
        connection.vendor == "sqlite", reason="threads would share a connection to SQLite"
    ),
]


@pytest.fixture
def runner(live_server, tmp_path):
    """Run a runner of an organisation until the end of the block."""

    @contextmanager
    def run(organization_id, engine, data_root=None):
        organization = Organization.objects.get(pk=organization_id)
        _runner, secret = create_runner(organization, name="ward")
        folder = tmp_path / organization_id
        (folder / "jobs").mkdir(parents=True)
        worker = Worker(
            client=Client(Connection(live_server.url, secret, print)),
            engine=engine,
            cache=Cache(folder / "cache", 10**8),
            data_root=DataRoot(data_root),
            limits=Limits(60, 10**9, 10**6),
            scratch=folder / "jobs",
        )
        claim = {"jobs": 2, "version": "1", "engine": engine.name, "data_root": bool(data_root)}
        program = Program(worker.client, worker, claim, print, grace=30, once=False)
        thread = threading.Thread(target=program.run, daemon=True)
        thread.start()
        try:
            yield
        finally:
            program.stop()
            thread.join(60)
        assert not thread.is_alive()

    return run


def wait_for(row: ComputePlan | Trial, status: str) -> None:
    end = time.monotonic() + 60
    while row.status != status:
        assert time.monotonic() < end, f"{row} is {row.status}: {Task.objects.values('status')}"
        time.sleep(0.05)
        row.refresh_from_db()


def study(alice, make_some=make_samples):
    """A plan that trains a model at A, and aggregates it at B."""
    dataset = make_dataset(alice)
    samples = make_some(alice, dataset.key)
    archive = {"permissions": only_to(A, B)}
    trained = training_task(
        dataset,
        samples,
        make_function(alice, file=upload(ARCHIVE, "function.zip"), **archive),
        outputs={"model": OutputSpec(only_to(A, B))},
    )
    aggregate = make_aggregate(alice, file=upload(ARCHIVE, "function.zip"), **archive)
    return make_plan(alice, trained, aggregate_task(aggregate, B, trained))


def train(call):
    samples = sum(each["id"] == "datasamples" for each in call.inputs)
    for path in call.outputs.values():
        path.write_text(f"{samples} samples")


def aggregate(call):
    (model,) = (each for each in call.inputs if each["id"] == "models")
    with open(model["value"]) as file:  # noqa: PTH123
        found = file.read()
    for path in call.outputs.values():
        path.write_text(f"sum of {found}")


def test_a_study_is_done(alice, runner):
    plan = study(alice)
    at_a, at_b = FakeEngine(train), FakeEngine(aggregate)
    with runner(A, at_a), runner(B, at_b):
        wait_for(plan, PlanStatus.DONE)
    models = {}
    for model in Model.objects.all():
        with model.file.open() as file:
            models[model.owner_id] = file.read().decode()
    assert models == {A: "1 samples", B: "sum of 1 samples"}
    assert len(at_a.calls) == len(at_b.calls) == 1
    # The owner of a function builds it.
    assert len(at_a.built) == 2
    steps = ProfilingStep.objects.exclude(task=None).values_list("step", flat=True)
    names = ["download_function", "prepare_inputs", "save_outputs", "task_execution"]
    assert sorted(steps) == sorted(names * 2)


def test_a_study_fails_with_the_logs_of_its_function(alice, runner):
    plan = study(alice)
    engine = FakeEngine(lambda call: Outcome("EXECUTION_ERROR", b"Traceback: no such column"))
    with runner(A, engine):
        wait_for(plan, PlanStatus.FAILED)
    report = FailureReport.objects.get(task__compute_plan=plan)
    with report.logs.open() as file:
        assert file.read() == b"Traceback: no such column"


def test_data_that_stay_are_looked_at_and_used_where_they_are(alice, runner, tmp_path):
    def make(actor, key):
        return make_samples_at_runner(actor, key, paths=["ward/1"])

    (tmp_path / "ward" / "1").mkdir(parents=True)
    (tmp_path / "ward" / "1" / "data.csv").write_text("1,2\n")
    plan = study(alice, make)
    read = []

    def function(call):
        (sample,) = (each for each in call.inputs if each["id"] == "datasamples")
        read.append(Path(sample["value"], "data.csv").read_text())
        train(call)

    with runner(A, FakeEngine(function), tmp_path), runner(B, FakeEngine(aggregate)):
        wait_for(plan, PlanStatus.DONE)
    assert read == ["1,2\n"]
    found = DataSample.objects.get().found
    assert (found.checksum, found.size) == folder_digest(tmp_path / "ward" / "1")


def test_a_dry_run_shows_its_logs_and_registers_nothing(alice, runner):
    dataset = make_dataset(alice)
    function = make_function(
        alice,
        file=upload(ARCHIVE, "function.zip"),
        outputs=(MODEL_OUTPUT, PERFORMANCE_OUTPUT),
    )

    def dry(call):
        assert call.options["--n-fake-samples"] == "3"
        assert [each["id"] for each in call.inputs] == ["opener"]
        call.outputs["model"].write_text("weights")
        call.outputs["performance"].write_text('{"all": 0.5}')
        return Outcome(logs=b"no warnings")

    with runner(A, FakeEngine(dry)):
        trial = begin_trial(TrialSpec(function.pk, dataset.pk, fake_samples=3), alice)
        wait_for(trial, Trial.Status.DONE)
    assert (trial.performances, trial.logs) == ({"performance": 0.5}, "no warnings")
    assert not Model.objects.exists()
