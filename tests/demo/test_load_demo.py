"""The demo consortium: complete, real, and the same however often it is loaded."""

import hashlib
import io
import zipfile

import pytest
from django.contrib.auth import authenticate
from django.core.management import call_command

from assets.demo.hospitals import CURIE, FILES, HOSPITALS, KAROLINSKA, PASSWORD
from assets.models import (
    ComputePlan,
    DataSample,
    Dataset,
    Event,
    Function,
    Organization,
    Task,
    User,
)

COUNTED = (Organization, User, Dataset, DataSample, Function, ComputePlan, Task, Event)


def load_demo(*args: str) -> str:
    out = io.StringIO()
    call_command("load_demo", *args, stdout=out)
    return out.getvalue()


def counts() -> dict[str, int]:
    return {model.__name__: model.objects.count() for model in COUNTED}


@pytest.fixture
def demo(db) -> str:
    return load_demo("--if-empty")


def test_what_is_there(demo):
    assert counts() == {
        "Organization": 3,
        "User": 10,
        "Dataset": 3,
        "DataSample": 9,
        "Function": 4,
        "ComputePlan": 2,
        "Task": 53,
        "Event": 71,
    }


def test_loading_again_changes_nothing(demo):
    before = counts()
    load_demo()

    assert counts() == before


def test_a_half_loaded_demo_is_completed(demo):
    before = counts()
    for task in Task.objects.filter(compute_plan__tag="baseline").order_by("-rank"):
        task.delete()
    ComputePlan.objects.filter(tag="baseline").delete()
    Event.objects.filter(asset_name__contains="baseline").delete()

    load_demo()

    assert counts() | {"Event": 0} == before | {"Event": 0}


def test_a_renamed_dataset_is_recognised(demo):
    before = counts()
    Dataset.objects.update(name="renamed")
    Function.objects.update(name="renamed")

    load_demo()

    assert counts() == before


def test_a_registry_in_use_is_left_alone(org_a):
    assert load_demo("--if-empty") == ""
    assert counts()["Organization"] == 1


def test_every_login_that_is_told_works(demo):
    for hospital in HOSPITALS:
        for username, role in hospital.users.items():
            assert username in demo
            user = authenticate(username=username, password=PASSWORD)
            assert (user.organization_id, user.role) == (hospital.id, role)
    assert authenticate(username="root", password=PASSWORD).is_superuser
    assert PASSWORD in demo
    assert "/admin/" in demo


def test_the_study_has_five_rounds_of_training_and_scoring(demo):
    tasks = Task.objects.filter(compute_plan__tag="federated")

    assert tasks.count() >= 30
    assert {task.metadata["round_idx"] for task in tasks} == set("12345")
    assert tasks.filter(rank=0).count() == 3
    assert {task.worker_id for task in tasks} == {hospital.id for hospital in HOSPITALS}
    assert set(tasks.values_list("tag", flat=True)) == {"train", "aggregate", "predict", "score"}


def test_datasets_differ_in_who_may_use_them(demo):
    permissions = {row.owner_id: row.permissions.value for row in Dataset.objects.all()}

    assert [permissions[hospital.id].public for hospital in HOSPITALS] == [False, False, True]
    assert permissions[CURIE].authorized_ids == (CURIE,)
    assert permissions[KAROLINSKA].authorized_ids == (CURIE, KAROLINSKA)


def test_openers_and_functions_are_the_files_that_are_shipped(demo):
    for hospital in HOSPITALS:
        dataset = Dataset.objects.get(owner=hospital.id)
        shipped = (FILES / "datasets" / hospital.slug / "opener.py").read_bytes()
        with dataset.opener.open() as file:
            assert file.read() == shipped
        assert dataset.opener_checksum == hashlib.sha256(shipped).hexdigest()
    for function in Function.objects.all():
        folder = FILES / "functions" / function.metadata["demo"]
        with function.archive.open() as file, zipfile.ZipFile(file) as archive:
            assert archive.namelist() == ["Dockerfile", "function.py"]
            assert archive.read("function.py") == (folder / "function.py").read_bytes()


def test_the_files_are_python_that_compiles():
    for path in FILES.rglob("*.py"):
        compile(path.read_text(), path.name, "exec")
