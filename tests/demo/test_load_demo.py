"""The demo consortium: complete, real, and the same however often it is loaded."""

import hashlib
import io
import zipfile
from collections import Counter
from uuid import UUID

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from assets.accounts.models import Role
from assets.accounts.registration.organizations import create_organization
from assets.accounts.registration.users import create_user
from assets.compute.registration import cancel_compute_plan
from assets.compute.statuses import PlanStatus
from assets.demo import load as demo_load
from assets.demo.hospitals import CURIE, FILES, HOSPITALS, KAROLINSKA, PASSWORD
from assets.demo.load import zipped
from assets.demo.study import BASELINE, FEDERATED
from assets.functions.models import FunctionStatus
from assets.immutable import remove_triggers
from assets.models import (
    ComputePlan,
    DataSample,
    Dataset,
    Event,
    Function,
    Model,
    Organization,
    Performance,
    ProfilingStep,
    Task,
    User,
)

pytestmark = pytest.mark.postgresql

COUNTED = (Organization, User, Dataset, DataSample, Function, ComputePlan, Task, Event)


def load_demo(*args: str) -> str:
    out = io.StringIO()
    call_command("load_demo", *args, stdout=out)
    return out.getvalue()


def counts() -> dict[str, int]:
    """How much there is; of events only what happened to assets."""
    found = {model.__name__: model.objects.count() for model in COUNTED}
    return found | {"Event": Event.objects.filter(public=True).count()}


@pytest.fixture
def demo(no_cast, django_capture_on_commit_callbacks) -> str:
    # The commit deletes the files of transient outputs.
    with django_capture_on_commit_callbacks(execute=True):
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
        "Event": 232,
    }


def test_loading_again_changes_nothing(demo):
    before = counts()
    load_demo()

    assert counts() == before


def test_a_half_loaded_demo_is_completed(demo):
    """Whatever is missing: a study, a function, a user."""
    before = counts() | {"Event": 0}
    remove_triggers(plan=["by hand"])
    lose_plan(BASELINE)
    predict = Function.objects.get(metadata__demo="predict")
    lose_plan(FEDERATED)
    predict.steps.all().delete()
    predict.inputs.all().delete()
    predict.outputs.all().delete()
    predict.delete()
    User.objects.get(username="charite-viewer").delete()

    load_demo()

    assert counts() | {"Event": 0} == before


def lose_plan(key: UUID) -> None:
    for result in (Model, Performance):
        result.objects.filter(output__task__compute_plan=key).delete()
    ProfilingStep.objects.filter(task__compute_plan=key).delete()
    for task in Task.objects.filter(compute_plan=key).order_by("-rank"):
        task.delete()
    ComputePlan.objects.get(pk=key).delete()


def test_a_hospital_that_is_there_already_is_left_unchanged(no_cast):
    create_organization(CURIE, name="Curie, Paris")

    load_demo()

    assert counts()["Task"] == 53
    assert Organization.objects.get(pk=CURIE).name == "Curie, Paris"


@pytest.mark.parametrize("step", ["register_dataset", "register_function", "register_compute_plan"])
def test_a_first_start_that_is_interrupted_is_made_good_by_the_next(no_cast, monkeypatch, step):
    def interrupted(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(demo_load, step, interrupted)
        with pytest.raises(KeyboardInterrupt):
            load_demo("--if-empty")
    assert set(counts().values()) == {0}

    assert PASSWORD in load_demo("--if-empty")
    assert counts()["Task"] == 53


def test_a_name_that_is_taken_is_reported_without_a_traceback(org_a):
    create_user("curie-member", organization=org_a)
    before = counts()

    with pytest.raises(CommandError, match="The demo was not loaded: A user with that"):
        load_demo()
    assert counts() == before


def test_a_member_who_may_no_longer_register(demo):
    """The command reports a refusal of the rules like one of the forms."""
    User.objects.filter(username="curie-member").update(role=Role.VIEWER)

    with pytest.raises(CommandError, match="The demo was not loaded: OE0102"):
        load_demo()


def test_what_was_renamed_or_cancelled_is_recognised(demo):
    before = counts()
    for model in (Dataset, Function, ComputePlan):
        model.objects.update(name="renamed")
    cancel_compute_plan(BASELINE, User.objects.get(username="karolinska-member"))

    load_demo()

    assert counts() | {"Event": 0} == before | {"Event": 0}


def test_a_registry_in_use_is_left_alone(org_a):
    before = counts()
    assert load_demo("--if-empty") == ""
    assert counts() == before


def test_a_later_start_prints_the_logins_and_registers_nothing(demo):
    before = counts()

    assert demo == "Registering the demo: three hospitals and their studies\n" + load_demo(
        "--if-empty"
    )
    assert counts() == before


def test_the_address_is_the_one_that_is_served(no_cast, monkeypatch):
    monkeypatch.setenv("HOST", "::1")
    monkeypatch.setenv("PORT", "9000")

    assert "http://[::1]:9000/admin/" in load_demo()


def test_every_printed_login_works(demo):
    for hospital in HOSPITALS:
        for username, role in hospital.users.items():
            assert username in demo
            user = authenticate(username=username, password=PASSWORD)
            assert (user.organization_id, user.role) == (hospital.id, role)
    assert authenticate(username="root", password=PASSWORD).is_superuser
    assert PASSWORD in demo
    assert "http://127.0.0.1:8000/admin/" in demo
    assert "create_token" in demo


def test_the_study_has_five_rounds_of_training_and_scoring(demo):
    tasks = Task.objects.filter(compute_plan__tag="federated")

    assert tasks.count() == 50
    rounds = Counter(task.metadata["round_idx"] for task in tasks)
    assert rounds == dict.fromkeys("12345", 10)
    assert tasks.filter(rank=0).count() == 3
    assert {task.worker_id for task in tasks} == {hospital.id for hospital in HOSPITALS}
    assert set(tasks.values_list("tag", flat=True)) == {"train", "aggregate", "predict", "score"}


def test_the_study_has_run(demo):
    study = ComputePlan.objects.get(key=FEDERATED)

    assert study.status == PlanStatus.DONE
    assert study.done_count == 50
    assert set(Function.objects.values_list("status", flat=True)) == {FunctionStatus.READY}
    # Every hospital's scores, of models that have learned something.
    scores = Performance.objects.filter(output__task__compute_plan=FEDERATED)
    assert scores.count() == 15
    assert all(0.9 < score.value <= 1 for score in scores)
    # Predictions are about patients: they are deleted once they are scored.
    models = Model.objects.filter(task__compute_plan=FEDERATED)
    kept = Counter(model.task.tag for model in models if model.file)
    assert kept == {"train": 15, "aggregate": 5}
    assert models.count() == 35
    assert ProfilingStep.objects.filter(task__compute_plan=FEDERATED).count() == 200


def test_the_other_study_waits_for_runners(demo):
    study = ComputePlan.objects.get(key=BASELINE)

    assert study.status == PlanStatus.DOING
    assert study.waiting_executor_slot_count == 1
    assert study.waiting_parent_tasks_count == 2


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


def test_data_samples_are_the_data_that_are_shipped(demo):
    stored = set()
    for sample in DataSample.objects.all():
        with sample.archive.open() as file, zipfile.ZipFile(file) as archive:
            stored.add((sample.owner_id, archive.read("data.csv")))

    assert stored == {
        (hospital.id, path.read_bytes())
        for hospital in HOSPITALS
        for path in (FILES / "data" / hospital.slug).glob("*/data.csv")
    }


def test_archives_are_the_same_on_every_machine():
    """Not compressed, and without a trace of the machine or the day: so a second load finds them.

    A change here registers every data sample of a demo once more.
    """
    archive = zipped(FILES / "data" / "curie" / "test", ("data.csv",))

    assert hashlib.sha256(archive).hexdigest() == (
        "86c6996fe7a50e67575dab70042aab1090a9ebcb3c8f0d1ed5b12b47c90bdad2"
    )


def test_all_files_of_the_demo_are_sound(demo):
    out = io.StringIO()
    call_command("check_files", stdout=out)

    assert "dataset: 6 files, 0 wrong" in out.getvalue()
    assert "orphans: 0 files" in out.getvalue()


def test_the_files_are_python_that_compiles():
    for path in FILES.rglob("*.py"):
        compile(path.read_text(), path.name, "exec")
