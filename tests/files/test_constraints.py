"""Every constraint of every model fires in SQL, for those who pass the rules by."""

import uuid
from datetime import timedelta
from pathlib import PurePosixPath

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone

from assets.accounts.models import ExternalIdentity, FailedSignIn, RecoveryCode
from assets.accounts.registration.runners import create_runner
from assets.accounts.registration.tokens import create_token
from assets.common.idempotency.models import IdempotencyKey
from assets.common.kinds import AssetKind
from assets.compute.models import ProfilingStep
from assets.datasets.models import DataSample
from assets.datasets.registration import register_data_samples
from assets.datasets.specs import DataSampleSpec
from assets.execution.models import Approval, Job, RunPolicy, Trial

from .everything import make_everything

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

BOTH = {"archive": "a.zip", "path": "/a"}
NEITHER = {"archive": "", "path": ""}
DATA_MANAGER = {"kind": AssetKind.DATA_MANAGER}

# What a copy of a sound row must say to break each constraint; several ways where there are.
VIOLATIONS: dict[str, list[dict]] = {
    "approval_of_one": [{"of": "approval of both"}, {"tasks_until": None}],
    "approval_one_of_code": [{"of": "code"}],
    "approval_one_of_plan": [{}],
    "apitoken_expires_later": [{"expires_at": timezone.now() - timedelta(days=9)}],
    "computeplan_has_name": [{"name": ""}],
    "computeplan_status": [{"status": "PLAN_STATUS_UNKNOWN"}, {"status": ""}],
    "datasample_archive_or_path": [BOTH, NEITHER],
    "datasample_checksum": [{"checksum": ""}, {"at_runner": True}],
    "datasample_once_at_runner": [
        {"archive": "", "path": "scans/1", "at_runner": True, "checksum": ""}
    ],
    "datasamplecheck_found_or_problem": [
        {"checksum": "0" * 64},
        {"problem": "gone"},
        {"checked_at": timezone.now()},
        {"checked_at": timezone.now(), "checksum": "0" * 64, "problem": "gone"},
    ],
    "datasamplelink_once": [{}],
    "dataset_has_name": [{"name": ""}],
    "externalidentity_unique": [{}],
    "failedsignin_unique": [{}],
    "failurereport_of_one": [{"task_id": None, "function_id": None}, {"of": "both"}],
    "function_has_name": [{"name": ""}],
    "function_status": [{"status": "FUNCTION_STATUS_UNKNOWN"}],
    "functioninput_identifier": [{}],
    "functioninput_kind": [{"identifier": "new", "kind": AssetKind.PERFORMANCE}],
    "functioninput_one_data_manager": [
        {"identifier": "new", **DATA_MANAGER, "multiple": True},
        {"identifier": "new", **DATA_MANAGER, "optional": True},
    ],
    "functionoutput_identifier": [{}],
    "functionoutput_kind": [{"identifier": "new", "kind": AssetKind.DATA_SAMPLE}],
    "functionoutput_one_performance": [
        {"identifier": "new", "kind": AssetKind.PERFORMANCE, "multiple": True}
    ],
    "idempotency_key_once": [{}],
    "job_ended_with_outcome": [{"outcome": "done"}, {"ended_at": timezone.now()}],
    "job_one_open_a_data_sample": [{"of": "look"}],
    "job_one_open_a_function": [{"of": "build"}],
    "job_one_open_a_task": [{}],
    "job_one_open_a_trial": [{"of": "dry run"}],
    "job_one_subject": [{"task_id": None}, {"of": "both"}],
    "profilingstep_duration": [{"step": "save_outputs", "duration": -1}],
    "profilingstep_of_one": [{"task_id": None}, {"of": "both"}],
    "profilingstep_once_a_function": [{"of": "build", "step": "build_image"}],
    "profilingstep_once_a_task": [{}],
    "recoverycode_unique": [{}],
    "runner_has_name": [{"name": ""}],
    "runner_one_of_name": [{}],
    "samplesetmember_once": [{}],
    "task_failed_for_a_reason": [{"status": "STATUS_FAILED", "error_type": ""}],
    "task_status": [{"status": "STATUS_TODO"}],
    "taskinput_one_source": [
        {"position": 90, "dataset_id": None, "sample_set_id": None},
        {"position": 90, "of": "dataset and samples"},
        {"position": 90, "parent_output_identifier": "model"},
        {"position": 90, "dataset_id": None, "of": "parent without output"},
    ],
    "taskinput_one_position": [{}],
    "taskoutput_identifier": [{}],
    "user_has_organization": [{"organization_id": None, "is_superuser": False}],
}

CONSTRAINTS = {
    constraint.name: (model, constraint)
    for model in apps.get_app_config("assets").get_models()
    for constraint in model._meta.constraints
}
UNIQUE_FIELDS = [
    (model, field.name)
    for model in apps.get_app_config("assets").get_models()
    for field in model._meta.concrete_fields
    if field.unique and not field.primary_key
]


@pytest.fixture
def rows(alice):
    token, _ = create_token(alice, expires_at=timezone.now() + timedelta(hours=1))
    of_sign_in = (
        RecoveryCode(user=alice, digest="0" * 64),
        FailedSignIn(address="192.0.2.1", username="alice", last_at=timezone.now()),
        ExternalIdentity(issuer="https://id.example", subject="1", username="alice"),
        IdempotencyKey(user=alice, key="0" * 64, subjects=[]),
    )
    for row in of_sign_in:
        row.save()
    made = make_everything(alice)
    accounts = {"Organization": alice.organization, "User": alice, "ApiToken": token}
    return {
        **made,
        **accounts,
        **_of_runners(alice, made),
        **{type(row).__name__: row for row in of_sign_in},
    }


def _of_runners(alice, made: dict) -> dict[str, models.Model]:
    """One row of each model of runners, and what their constraints say that there is once."""
    plan = made["ComputePlan"]
    task, organization, now = plan.tasks.first(), alice.organization, timezone.now()
    runner, _ = create_runner(organization, name="ward")
    spec = DataSampleSpec([made["Dataset"].key], runner_paths=[PurePosixPath("scans/1")])
    (sample,) = register_data_samples(spec, alice)
    trial = Trial(organization=organization, function=task.function)
    policy = RunPolicy(organization=organization)
    approval = {"organization": organization, "approved": True}
    of_plan = Approval(**approval, compute_plan=plan, digest="0" * 64, tasks_until=now)
    of_code = Approval(**approval, function=task.function, digest="1" * 64)
    step = ProfilingStep(function=task.function, step="build_image", duration=1)
    open_job = {"runner": runner, "claimed_at": now, "expires_at": now}
    about = ({"function": task.function}, {"trial": trial}, {"data_sample": sample})
    jobs = [Job(**open_job, **subject) for subject in ({"task": task}, *about)]
    for row in (trial, policy, of_plan, of_code, step, *jobs):
        row.save(force_insert=True)
    uploaded = DataSample.objects.exclude(archive="").first()
    found = (runner, sample.found, uploaded, trial, policy, of_plan, jobs[0])
    return {type(row).__name__: row for row in found}


# Values that are keys of other rows, by the word after `of`.
KEYS = {
    "approval of both": lambda rows: {"function_id": rows["Trial"].function_id},
    "code": lambda rows: {
        "compute_plan_id": None,
        "tasks_until": None,
        "function_id": rows["Trial"].function_id,
        "digest": "1" * 64,
    },
    "build": lambda rows: {"task_id": None, "function_id": rows["Trial"].function_id},
    "dry run": lambda rows: {"task_id": None, "trial_id": rows["Trial"].pk},
    "look": lambda rows: {"task_id": None, "data_sample_id": rows["DataSampleCheck"].pk},
    "both": lambda rows: {
        "task_id": rows["Task"].key,
        "function_id": rows["ComputePlan"].tasks.first().function_id,
    },
    "dataset and samples": lambda rows: {
        "dataset_id": rows["Dataset"].key,
        "sample_set_id": rows["SampleSet"].pk,
    },
    "parent without output": lambda rows: {
        "sample_set_id": None,
        "parent_task_id": rows["Task"].key,
    },
}


def insert_copy(row: models.Model, *, keep: tuple[str, ...] = (), **changes) -> None:
    """Insert a copy of the row under a key of its own, with other values in unique fields."""
    values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    for field in row._meta.concrete_fields:
        if field.primary_key:
            fresh = {uuid.UUID: uuid.uuid4(), str: uuid.uuid4().hex}
            values[field.attname] = fresh.get(type(row.pk))
        elif field.unique and field.null and isinstance(field, models.CharField):
            # The key of a name: saving the row works it out.
            values[field.attname] = values[field.attname] if field.name in keep else None
        elif field.unique and field.name not in keep and not field.null:
            values[field.attname] = uuid.uuid4().hex
    type(row)(**{**values, **changes}).save(force_insert=True)


def test_no_constraint_is_forgotten():
    assert set(VIOLATIONS) == set(CONSTRAINTS)


@pytest.mark.parametrize(
    ("name", "number"), [(name, n) for name, ways in VIOLATIONS.items() for n in range(len(ways))]
)
def test_constraints_fire(rows, name, number):
    model, constraint = CONSTRAINTS[name]
    changes = dict(VIOLATIONS[name][number])
    if "of" in changes:
        changes |= KEYS[changes.pop("of")](rows)
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        insert_copy(rows[model.__name__], **changes)
    if isinstance(constraint, models.UniqueConstraint) and connection.vendor == "sqlite":
        # SQLite names the columns instead.
        columns = [model._meta.get_field(field).column for field in constraint.fields]
        name = ", ".join(f"{model._meta.db_table}.{column}" for column in columns)
    assert name in str(error.value)


@pytest.mark.parametrize(("model", "field"), UNIQUE_FIELDS)
def test_unique_fields_are_unique(rows, model, field):
    row = rows[model.__name__]
    if getattr(row, field) is None:
        row = model._default_manager.exclude(**{field: None}).first()
    with pytest.raises(IntegrityError, match=r"(?i)unique"), transaction.atomic():
        insert_copy(row, keep=(field,))


# Each of these is the only one of another row, which a copy would need as well.
ONE_EACH = {
    *("Approval", "DataSampleCheck", "DataSampleLink", "FailureReport", "Performance"),
    *("RunPolicy", "SampleSetMember"),
}
SOUND = {
    "ExternalIdentity": {"subject": "2"},
    "FailedSignIn": {"username": "bob"},
    "IdempotencyKey": {"key": "1" * 64},
    "Job": {"ended_at": timezone.now(), "outcome": "done"},
    "Organization": {"name": "Another hospital"},
    "ProfilingStep": {"step": "save_outputs"},
    "Runner": {"name": "ward 2"},
    "RecoveryCode": {"digest": "1" * 64},
    "FunctionInput": {"identifier": "new"},
    "FunctionOutput": {"identifier": "new"},
    "TaskInput": {"position": 90},
    "TaskOutput": {"identifier": "new"},
}


def test_sound_copies_are_accepted(rows):
    """Or else the copies above might be refused for another reason."""
    for name, row in rows.items():
        if name not in ONE_EACH:
            insert_copy(row, **SOUND.get(name, {}))
