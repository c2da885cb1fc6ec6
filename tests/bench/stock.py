"""The assets that tasks are made of: organisations, users, datasets, data samples, functions."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from assets.accounts.models import ApiToken, User
from assets.accounts.registration.organizations import create_organization
from assets.accounts.registration.tokens import token_digest
from assets.accounts.registration.users import create_user
from assets.common.kinds import AssetKind
from assets.functions.models import FunctionStatus
from assets.permissions.registration import intern_permissions
from assets.permissions.specs import PermissionsSpec
from tests import builders

from .events import Events
from .rows import Table, moment, plain, write_all
from .world import ORGANIZATIONS, token_of

SAMPLES_PER_DATASET = 20
# This many datasets, data samples and functions have their files; the others only name theirs.
WITH_FILES = 10
SAMPLE = builders.zip_of({"data.csv": b"patient,count\n1,4.7\n"})
CODE = builders.zip_of(builders.CODE)
INPUTS = (builders.OPENER_INPUT, builders.SAMPLES_INPUT, builders.MODEL_INPUT)
OUTPUTS = (builders.MODEL_OUTPUT, builders.PERFORMANCE_OUTPUT)

_SUBJECTS = ("Blood", "Lung", "Breast", "Retina", "Liver", "Brain", "Heart", "Skin")
_THINGS = ("counts", "slides", "scans", "reports", "signals")
_VERBS = ("Train", "Test", "Predict", "Aggregate", "Normalise")
_MODALITIES = ("CT", "MRI", "PET", "US")
# Of ten functions, whether they are built.
_STATUSES = [FunctionStatus.READY] * 7 + [FunctionStatus.WAITING] * 3


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many of everything, for a number of tasks in plans of a hundred."""

    tasks: int
    # One plan more has this many tasks, for the graph.
    large_plan: int = 1000
    plan: int = 100

    @property
    def factor(self) -> float:
        """What tasks are made of grows as the root of their number, at most tenfold."""
        scale = self.tasks / 20_000
        return scale if scale < 1 else min(10.0, scale**0.5)

    @property
    def datasets(self) -> int:
        return max(WITH_FILES, round(1000 * self.factor))

    @property
    def functions(self) -> int:
        return max(WITH_FILES, round(1000 * self.factor))

    @property
    def plans(self) -> int:
        return max(1, self.tasks // self.plan)


@dataclass(slots=True)
class Dataset:
    key: str
    owner: str
    may_use: PermissionsSpec
    logs: PermissionsSpec
    samples: list[str]


@dataclass(slots=True)
class Function:
    key: str
    owner: str
    may_use: PermissionsSpec
    status: str


class Stock:
    """What is registered before the plans are, and the tables that it is written to."""

    def __init__(self, sizes: Sizes, seed: int, begin: datetime) -> None:
        self.sizes, self.random, self.now = sizes, Random(seed), begin
        self.users = _make_users(begin)
        values = [*_all_public(), *map(_private, ORGANIZATIONS), TOGETHER]
        self.permissions = intern_permissions(values)
        self.events = Events(self.users)
        self.datasets: list[Dataset] = []
        self.functions: list[Function] = []
        file = ("", "_checksum", "_size")
        self._datasets = Table(
            "Dataset",
            *("key", "owner_id", "creation_date", "metadata", "name", "type"),
            *("permissions_id", "logs_permission_id"),
            *(f"{name}{part}" for name in ("opener", "description") for part in file),
        )
        self._samples = Table(
            "DataSample", "key", "owner_id", "creation_date", "archive", "checksum", "size"
        )
        self._links = Table("DataSampleLink", "data_sample_id", "dataset_id")
        self._functions = Table(
            "Function",
            *("key", "owner_id", "creation_date", "metadata", "name", "permissions_id", "status"),
            *(f"{name}{part}" for name in ("archive", "description") for part in file),
        )
        slot = ("function_id", "position", "identifier", "kind", "multiple")
        self._inputs = Table("FunctionInput", *slot, "optional")
        self._outputs = Table("FunctionOutput", *slot)

    def write(self) -> None:
        """Register everything."""
        for number in range(self.sizes.datasets):
            self._add_dataset(number, ORGANIZATIONS[number % 3])
        write_all([self._datasets, self._samples, self._links, self.events.table])
        for number in range(self.sizes.functions):
            self._add_function(number, ORGANIZATIONS[number % 3])
        write_all([self._functions, self._inputs, self._outputs, self.events.table])

    def _add_dataset(self, number: int, owner: str) -> None:
        key, name = new_key(self.random), self._name(_SUBJECTS, _THINGS, number)
        may_use, when = _may_use(owner, number), self._later(owner, "DATA_MANAGER", {key: name})
        logs = _private(owner) if number % 2 else TOGETHER
        metadata = {"modality": _MODALITIES[number % 4], "ward": str(number % 100)}
        self._datasets.add(
            *(key, owner, when, plain(metadata), name, "tabular"),
            *(self.permissions[may_use], self.permissions[logs]),
            *_file(f"datasets/{key}/opener.py", builders.OPENER, number),
            *_file(f"datasets/{key}/description.md", builders.DESCRIPTION, number),
        )
        samples = [new_key(self.random) for _ in range(SAMPLES_PER_DATASET)]
        when = self._later(owner, "DATA_SAMPLE", dict.fromkeys(samples, ""))
        for sample in samples:
            archive = _file(f"data_samples/{sample}.zip", SAMPLE, number)
            self._samples.add(sample, owner, when, *archive)
            self._links.add(sample, key)
        self.datasets.append(Dataset(key, owner, may_use, logs, samples))

    def _add_function(self, number: int, owner: str) -> None:
        key, name = new_key(self.random), self._name(_VERBS, _SUBJECTS, number)
        may_use, when = _may_use(owner, number), self._later(owner, "FUNCTION", {key: name})
        status = _STATUSES[number % 10]
        self._functions.add(
            *(key, owner, when, plain({"framework": "torch"}), name),
            *(self.permissions[may_use], status.value),
            *_file(f"functions/{key}/function.zip", CODE, number),
            *_file(f"functions/{key}/description.md", builders.DESCRIPTION, number),
        )
        for position, slot in enumerate(INPUTS):
            values = (slot.identifier, slot.kind, int(slot.multiple), int(slot.optional))
            self._inputs.add(key, position, *values)
        for position, slot in enumerate(OUTPUTS):
            self._outputs.add(key, position, slot.identifier, slot.kind, int(slot.multiple))
        self.functions.append(Function(key, owner, may_use, status))

    def _later(self, owner: str, kind: str, names: dict[str, str]) -> str:
        """Let some time pass, record that assets are registered, and return when."""
        self.now += timedelta(seconds=7, microseconds=self.random.randrange(1_000_000))
        when = moment(self.now)
        self.events.add(owner, "registered", AssetKind[kind], names, when)
        return when

    def _name(self, first: tuple[str, ...], second: tuple[str, ...], number: int) -> str:
        return f"{self.random.choice(first)} {self.random.choice(second).lower()} {number}"


TOGETHER = PermissionsSpec(False, ORGANIZATIONS)


def new_key(random: Random) -> str:
    """Return the digits of a random UUID of version 4."""
    digits = f"{random.getrandbits(128):032x}"
    return f"{digits[:12]}4{digits[13:16]}a{digits[17:]}"


def public(owner: str) -> PermissionsSpec:
    return PermissionsSpec(True).owned_by(owner)


def _all_public() -> list[PermissionsSpec]:
    """Public values with every owner, and with every worker that makes something for an owner."""
    return [public(owner).owned_by(worker) for owner in ORGANIZATIONS for worker in ORGANIZATIONS]


def _private(owner: str) -> PermissionsSpec:
    return PermissionsSpec().owned_by(owner)


def _may_use(owner: str, number: int) -> PermissionsSpec:
    """Of ten assets five are public, four are for all three organisations, one is private."""
    kind = number // 3 % 10
    if kind < 5:
        return public(owner)
    return TOGETHER if kind < 9 else _private(owner)


def _file(name: str, content: bytes, number: int) -> tuple[str, str, int]:
    """Return the columns of a file; those of the first assets are stored as well."""
    if number < WITH_FILES:
        default_storage.save(name, ContentFile(content))
    return name, hashlib.sha256(content).hexdigest(), len(content)


def _make_users(now: datetime) -> dict[str, User]:
    """Create the organisations, each with one user who has a token for good; return them."""
    users = {}
    for name in ORGANIZATIONS:
        organization = create_organization(name, name=name.removesuffix("MSP"))
        users[name] = create_user(name.removesuffix("MSP").lower(), organization=organization)
        ApiToken.objects.create(
            user=users[name],
            note="bench",
            digest=token_digest(token_of(name)),
            created_at=now,
            expires_at=now + timedelta(days=36_500),
        )
    return users
