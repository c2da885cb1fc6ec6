"""What is typed into the admin becomes the same rows as the same spec at registration."""

import json
import re
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from django.core.files.storage import default_storage
from django.db.models import Model

from assets.compute import registration as compute
from assets.compute.inputs import grouped
from assets.compute.models import ComputePlan, Task
from assets.compute.specs import OutputSpec
from assets.datasets import registration as datasets
from assets.datasets.models import DataSample, Dataset
from assets.datasets.specs import DataSampleSpec
from assets.feed.models import Event
from assets.functions import registration as functions
from assets.functions.models import Function
from assets.uploads.models import Upload
from tests.builders import (
    CODE,
    MODEL_INPUT,
    MODEL_OUTPUT,
    OPENER,
    OPENER_INPUT,
    PERFORMANCE_OUTPUT,
    PUBLIC,
    SAMPLES_INPUT,
    child_input,
    dataset_spec,
    function_spec,
    only_to,
    plan_spec,
    upload,
    wire_plan,
    zip_of,
)
from tests.rules.requests import Tasks
from tests.rules.world import B

from .interface import metadata

FILES = ("data_opener", "description")

# What is each row's own, and what follows from that.
OWN = {"key", "id", "task_id", "function_id", "creation_date", "digest", "compute_plan_id"}


def facts(row: Model) -> dict[str, Any]:
    """Return the row's columns but its own, and of its files the content."""
    found = {}
    for field in row._meta.concrete_fields:
        value = getattr(row, field.attname)
        if field.get_internal_type() == "FileField" and value:
            with default_storage.open(value.name) as file:
                found[field.name] = file.read()
        elif field.attname not in OWN:
            found[field.attname] = value
    return found


def all_facts(row: Model, *lists: str) -> list[Any]:
    """Return the facts of the row and of its lists, with the events about it."""
    events = Event.objects.filter(asset_key=row.pk).values(
        "action", "organization", "actor", "actor_name", "asset_kind", "asset_name", "detail"
    )
    children = [[facts(child) for child in getattr(row, name).all()] for name in lists]
    return [facts(row), *children, list(events)]


def test_dataset(admin, world):
    def spec():
        return dataset_spec(permissions=only_to(B), logs_permission=PUBLIC)

    page = admin.send(world.alice, spec())
    assert page.accepted, page.errors
    typed = Dataset.objects.get()
    registered = datasets.register_dataset(spec(), world.alice)
    assert all_facts(typed) == all_facts(registered)
    assert typed.permissions.value == only_to(B).owned_by("MyOrg1MSP")


@pytest.mark.parametrize("text", ["ward: 7\n\n device : A:B ", '{"ward": "7", "device": "A:B"}'])
def test_metadata_as_lines_and_as_json(text, admin, world):
    url, data = admin.form(dataset_spec())
    assert admin.post(world.alice, url, {**data, "metadata": text}).accepted
    assert Dataset.objects.get().metadata == {"ward": "7", "device": "A:B"}


def test_data_samples(admin, world):
    contents = [zip_of({"data.csv": b"%d" % n}) for n in range(3)]

    def spec():
        archives = {f"part{n}": upload(content) for n, content in enumerate(contents)}
        return DataSampleSpec([world.dataset.key, world.other_dataset.key], archives)

    page = admin.send(world.alice, spec())
    assert page.accepted, page.errors
    typed = list(DataSample.objects.all())
    registered = datasets.register_data_samples(spec(), world.alice)
    assert len(typed) == 3
    by_checksum = {sample.checksum: sample for sample in typed}
    for sample in registered:
        other = by_checksum[sample.checksum]
        assert all_facts(other)[0] == all_facts(sample)[0]
        assert set(other.datasets.all()) == set(sample.datasets.all())


def test_function(admin, world):
    archive = zip_of(CODE)

    def spec():
        return function_spec(
            file=upload(archive),
            permissions=PUBLIC,
            inputs=(SAMPLES_INPUT, OPENER_INPUT, MODEL_INPUT),
            outputs=(PERFORMANCE_OUTPUT, MODEL_OUTPUT),
        )

    page = admin.send(world.alice, spec())
    assert page.accepted, page.errors
    typed = Function.objects.get()
    registered = functions.register_function(spec(), world.alice)
    assert all_facts(typed, "inputs", "outputs") == all_facts(registered, "inputs", "outputs")
    assert [row.identifier for row in typed.inputs.all()] == ["datasamples", "opener", "shared"]


def test_compute_plan(admin, world):
    tasks = [world.task(), world.task()]
    tasks.append(world.child(*tasks))
    for task in tasks:
        task.compute_plan_key = None
    spec = plan_spec(metadata={"study": "A"}, tasks=tasks)
    page = admin.send(world.alice, spec)
    assert page.accepted, page.errors
    typed = ComputePlan.objects.get(pk=spec.key)
    assert (typed.key, typed.name, typed.tag) == (spec.key, spec.name, spec.tag)
    # Registering is idempotent: it finds that the content is the same, or refuses.
    assert compute.register_compute_plan(spec, world.alice) == typed
    assert typed.task_count == typed.tasks.count() == 3


def test_a_whole_plan_pasted(admin, world):
    spec = plan_spec(metadata={"study": "A"}, tasks=[world.task(compute_plan_key=None)])
    url, data = admin.form(spec)
    blank = {**dict.fromkeys(data, ""), "name": "Typed", "tasks": json.dumps(wire_plan(spec))}
    page = admin.post(world.alice, url, blank)
    assert page.accepted, page.errors
    plan = ComputePlan.objects.get(pk=spec.key)
    assert (plan.key, plan.name, plan.tag) == (spec.key, "Typed", spec.tag)
    assert plan.metadata == spec.metadata
    assert plan.task_count == 1


def test_task(admin, world):
    outputs = {"model": OutputSpec(only_to(B), transient=True)}
    inputs = grouped([*world.task().refs, child_input(world.parent)])
    spec = world.task(inputs=inputs, outputs=outputs, tag="first", metadata={"round": "1"})
    page = admin.send(world.alice, Tasks([spec]))
    assert page.accepted, page.errors
    typed = Task.objects.get(pk=spec.key)
    assert typed.rank == 1
    assert compute.register_tasks([spec], world.alice) == [spec.key]
    twin = world.task(inputs=inputs, outputs=outputs, tag="first", metadata={"round": "1"})
    compute.register_tasks([twin], world.alice)
    registered = Task.objects.get(pk=twin.key)
    assert all_facts(typed, "inputs", "outputs") == all_facts(registered, "inputs", "outputs")


def test_a_task_without_a_plan_and_without_a_key(admin, world):
    spec = world.task()
    spec.compute_plan_key = None
    url, data = admin.form(Tasks([spec]))
    page = admin.post(world.alice, url, {**data, "key": "", "worker": ""})
    assert page.accepted, page.errors
    task = Task.objects.get()
    assert task.compute_plan.name == str(task.key)
    assert task.key != UUID(int=0)
    assert task.worker_id == "MyOrg1MSP"


def test_files_are_sent_once(admin, world):
    """A form that comes back has its files: they are ticked, and sent again by their keys."""
    url, data = admin.form(dataset_spec(name=""))
    page = admin.post(world.alice, url, data)
    assert [error.place for error in page.errors] == ["name"]
    keys = dict(re.findall(r'name="(\w+-staged)" value="([^"]+)" checked', page.text))
    assert set(keys) == {"data_opener-staged", "description-staged"}
    typed = {name: value for name, value in data.items() if name not in FILES}
    assert admin.post(world.alice, url, {**typed, **keys, "name": "Scans"}).accepted
    assert Dataset.objects.get().opener_checksum == sha256(OPENER).hexdigest()
    assert not Upload.objects.exists()


def test_a_message_confirms_what_was_added(admin, world, session_of):
    url, data = admin.form(dataset_spec(name="Scans"))
    page = session_of(world.alice).post(url, data, follow=True)
    assert "Scans</a>” was added successfully" in page.content.decode()
    assert metadata({}) == ""


def test_a_late_refusal_is_shown_and_nothing_is_saved(admin, world, session_of, monkeypatch):
    """The check passed, and then registration refused: another request was faster."""
    url, data = admin.form(plan_spec())
    monkeypatch.setattr(
        "assets.compute.plan_editor.forms.check_compute_plan", lambda spec, actor: []
    )
    page = session_of(world.alice).post(url, {**data, "name": ""}, follow=True)
    text = page.content.decode()
    assert "Cannot be blank" in text
    assert "success" not in text.replace("messagelist", "")
    assert not ComputePlan.objects.exists()
