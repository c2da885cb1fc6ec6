"""Registers the demo with the functions that pages and the API use; can be run again."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.core.files.base import ContentFile
from django.db import transaction

from ..accounts.models import Organization, User
from ..accounts.registration.organizations import create_organization
from ..accounts.registration.users import create_user
from ..common.parsing import Reader
from ..compute.models import ComputePlan
from ..compute.registration import register_compute_plan
from ..datasets.models import DataSample, Dataset
from ..datasets.registration import register_data_samples, register_dataset
from ..datasets.specs import DataSampleSpec, DatasetSpec
from ..functions.models import Function
from ..functions.registration import register_function
from ..functions.specs import FunctionSpec, read_inputs, read_outputs
from ..permissions.specs import PermissionsSpec
from .hospitals import (
    FILES,
    FUNCTIONS,
    HOSPITALS,
    KAROLINSKA,
    PASSWORD,
    SUPERUSER,
    TEST_SAMPLE,
    TRAINING_SAMPLES,
    Hospital,
)
from .results import register_results
from .study import BASELINE, FEDERATED, Registered, baseline_study, federated_study

# The metadata key of the demo's datasets and functions, which may have been renamed.
MARK = "demo"


@transaction.atomic
def load() -> None:
    """Register the assets of the demo that are missing, all or none.

    An interrupted first start leaves an empty registry, and the next one loads the whole demo. The
    files written until then are orphans, which `check_files` removes.

    Raises:
        ValidationError: a user or an organisation cannot be created.
        Refused: an asset cannot be registered.
    """
    # All have the same one, which is public.
    password_hash = make_password(PASSWORD)
    members = {hospital.id: _people(hospital, password_hash) for hospital in HOSPITALS}
    if not User.objects.filter(username=SUPERUSER).exists():
        create_user(
            SUPERUSER,
            organization=None,
            password=PASSWORD,
            password_hash=password_hash,
            is_superuser=True,
        )
    datasets = {hospital.id: _dataset(hospital, members[hospital.id]) for hospital in HOSPITALS}
    samples = {
        (hospital.id, name): _sample(hospital, name, datasets[hospital.id], members[hospital.id])
        for hospital in HOSPITALS
        for name in (*TRAINING_SAMPLES, TEST_SAMPLE)
    }
    functions = {
        name: _function(name, permissions, members[owner])
        for name, (owner, permissions) in FUNCTIONS.items()
    }
    registered = Registered(functions, datasets, samples)
    leader, partner = members[HOSPITALS[0].id], members[KAROLINSKA]
    study = federated_study(registered)
    is_new = not ComputePlan.objects.filter(pk=FEDERATED).exists()
    register_compute_plan(study, leader)
    if is_new:
        register_results(study, functions)
    register_compute_plan(baseline_study(registered), partner)


def is_loaded() -> bool:
    """Return whether the whole demo is loaded; its plans are registered last."""
    return ComputePlan.objects.filter(pk__in=[FEDERATED, BASELINE]).count() == 2


def _people(hospital: Hospital, password_hash: str) -> User:
    """Create the hospital and its users; return the one who registers its assets."""
    organization = Organization.objects.filter(pk=hospital.id).first() or create_organization(
        hospital.id, name=hospital.name
    )
    known = set(User.objects.filter(organization=organization).values_list("username", flat=True))
    for username, role in hospital.users.items():
        if username not in known:
            create_user(
                username,
                organization=organization,
                role=role,
                password=PASSWORD,
                password_hash=password_hash,
            )
    return User.objects.get(username=hospital.member)


def _upload(path: Path) -> ContentFile:
    return ContentFile(path.read_bytes(), name=path.name)


def zipped(folder: Path, names: tuple[str, ...]) -> bytes:
    """Return a zip of these files of the folder, with the same bytes on every machine.

    Data samples are recognised by their checksum, so nothing is compressed: the result would
    depend on the build of zlib.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in names:
            info = zipfile.ZipInfo(name, date_time=(2020, 1, 1, 0, 0, 0))
            info.create_system = 3  # Unix, whatever this machine runs
            info.external_attr = 0o644 << 16
            archive.writestr(info, (folder / name).read_bytes())
    return buffer.getvalue()


def _dataset(hospital: Hospital, member: User) -> UUID:
    known = Dataset.objects.filter(owner=hospital.id, metadata__demo=hospital.slug).first()
    if known:
        return known.key
    folder = FILES / "datasets" / hospital.slug
    spec = DatasetSpec(
        name=f"Breast masses, {hospital.name}",
        type="tabular",
        data_opener=_upload(folder / "opener.py"),
        description=_upload(folder / "description.md"),
        permissions=hospital.dataset_permissions,
        logs_permission=hospital.logs_permission,
        metadata={MARK: hospital.slug, "modality": "fine needle aspirate"},
    )
    return register_dataset(spec, member).key


def _sample(hospital: Hospital, name: str, dataset: UUID, member: User) -> UUID:
    content = zipped(FILES / "data" / hospital.slug / name, ("data.csv",))
    archive = ContentFile(content, name=f"{name}.zip")
    checksum = hashlib.sha256(content).hexdigest()
    known = DataSample.objects.filter(links__dataset=dataset, checksum=checksum).first()
    if known:
        return known.key
    return register_data_samples(DataSampleSpec([dataset], {name: archive}), member)[0].key


def _function(name: str, permissions: PermissionsSpec, member: User) -> UUID:
    known = Function.objects.filter(owner=member.acts_for, metadata__demo=name).first()
    if known:
        return known.key
    folder = FILES / "functions" / name
    declared: Mapping = json.loads((folder / "function.json").read_text())
    reader = Reader("function")
    spec = FunctionSpec(
        name=declared["name"],
        description=_upload(folder / "description.md"),
        file=ContentFile(zipped(folder, ("Dockerfile", "function.py")), name="function.zip"),
        permissions=permissions,
        metadata={MARK: name},
        inputs=read_inputs(reader, declared),
        outputs=read_outputs(reader, declared),
    )
    return register_function(spec, member).key
