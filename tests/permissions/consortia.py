"""Random consortia: organisations, everybody in them, and what they own with random permissions."""

from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import uuid4

from assets.accounts.models import ExternalIdentity, Organization, User
from assets.accounts.registration.organizations import create_organization
from assets.accounts.registration.runners import create_runner
from assets.accounts.registration.users import create_user
from assets.common.audit import Action, SubjectKind
from assets.compute.models import FailureReport, Task
from assets.compute.statuses import TaskStatus
from assets.execution.models import RunPolicy
from assets.feed.models import Event
from assets.feed.registration import record_private
from assets.permissions.specs import PermissionsSpec
from tests import builders

from .oracle import What, Who


@dataclass
class Consortium:
    """Everybody and everything, by kind."""

    random: Random
    organizations: list[str] = field(default_factory=list)
    people: list[Who] = field(default_factory=list)
    users: dict[str, User] = field(default_factory=dict)
    things: dict[str, list[What]] = field(default_factory=dict)
    # A function of each organisation that takes models, and that everybody may run.
    aggregates: dict[str, Any] = field(default_factory=dict)
    samples: dict[Any, Any] = field(default_factory=dict)

    def add(self, kind: str, row: Any, owner: str | None, value: Any = None, **more: Any) -> None:
        readers = None if value is not None and value.public else frozenset()
        if value is not None and not value.public:
            readers = frozenset(value.authorized_ids)
        self.things.setdefault(kind, []).append(What(kind, row, owner, readers, **more))

    def one(self, kind: str) -> What:
        return self.random.choice(self.things[kind])

    def permissions(self) -> PermissionsSpec:
        """Everyone, no one else, or some."""
        ids = self.random.sample(self.organizations, self.random.randint(0, 2))
        return PermissionsSpec(self.random.random() < 0.25, tuple(ids))


def make_consortium(seed: int) -> Consortium:
    found = Consortium(Random(seed))
    count = found.random.randint(2, 5)
    found.organizations = [f"Org{seed}x{number}" for number in range(count)]
    rows = [create_organization(name) for name in found.organizations]
    for organization in rows:
        _people_of(found, organization)
    _person(found, None, "member", superuser=True)
    _person(found, None, "member", superuser=True, active=False)
    for organization in rows:
        _assets_of(found, organization.pk)
        _runs_of(found, organization)
    for owner in (*found.organizations, None):
        _waiting(found, owner)
        _event(found, owner)
    return found


def _people_of(found: Consortium, organization: Organization) -> None:
    for role in ("admin", "member", "viewer"):
        _person(found, organization, role)
    roles = found.random.choices(("admin", "member", "viewer"), k=3)
    _person(found, organization, roles[0], active=False)
    _person(found, organization, roles[1], token=False)
    if found.random.random() < 0.5:
        _person(found, organization, roles[2], superuser=True)
    # Those that things are done to; a second admin, so that none is the last.
    for kind, more in (("user", {}), ("user", {"superuser": True}), ("", {"role": "admin"})):
        values = {"role": "member", "is_superuser": bool(more.get("superuser")), **more}
        values.pop("superuser", None)
        user = create_user(f"u-{uuid4()}", organization=organization, **values)
        if kind:
            found.add(kind, user, organization.pk, superuser=user.is_superuser, name=user.username)


def _person(found: Consortium, organization: Organization | None, role: str, **how: bool) -> None:
    name = f"p-{uuid4()}"
    superuser = how.get("superuser", False)
    user = create_user(name, organization=organization, role=role, is_superuser=superuser)
    if not how.get("active", True):
        user.is_active = False
        user.save(update_fields=["is_active"])
    found.users[name] = user
    found.people.append(Who(name, organization.pk if organization else None, role, **how))


def _assets_of(found: Consortium, owner: str) -> None:
    actor = _member_of(found, owner)
    value, logs = found.permissions(), found.permissions()
    dataset = builders.make_dataset(actor, permissions=value, logs_permission=logs)
    samples = builders.make_samples(actor, dataset.key)
    found.samples[dataset.key] = samples
    found.add("dataset", dataset, owner, value)
    found.add("sample", samples[0], owner)
    of_function = found.permissions()
    function = builders.make_function(actor, permissions=of_function)
    found.add("function", function, owner, of_function)
    found.aggregates[owner] = builders.make_aggregate(actor, permissions=builders.PUBLIC)
    made = found.permissions()
    outputs = {"model": builders.OutputSpec(made)}
    own = builders.make_function(actor)
    specs = [builders.training_task(dataset, samples, own, outputs=outputs) for _ in "ab"]
    plan = builders.make_plan(actor, *specs)
    done, failed = (Task.objects.get(pk=spec.key) for spec in specs)
    builders.set_status([done.key], TaskStatus.DONE)
    builders.set_status([failed.key], TaskStatus.FAILED)
    builders.make_failure(b"why", task_id=failed.key)
    builders.make_failure(b"why", function_id=function.key)
    found.add("plan", plan, owner)
    found.add("task", done, owner)
    found.add("model", builders.make_model(done.key, permissions=made), owner, made)
    reports = FailureReport.objects
    found.add("task logs", reports.get(task=failed), owner, logs)
    found.add("function logs", reports.get(function=function), owner, of_function)


def _runs_of(found: Consortium, organization: Organization) -> None:
    """A runner, and a plan on which the organisation has to decide."""
    actor, owner = _member_of(found, organization.pk), organization.pk
    runner, _ = create_runner(organization, name=f"r-{uuid4()}")
    found.add("runner", runner, owner, name=runner.name)
    dataset = builders.make_dataset(actor)
    samples, function = builders.make_samples(actor, dataset.key), builders.make_function(actor)
    plan = builders.make_plan(actor, builders.training_task(dataset, samples, function))
    RunPolicy.objects.create(organization=organization, policy=RunPolicy.Policy.PLANS)
    found.add("awaited plan", plan, owner)


def _member_of(found: Consortium, owner: str) -> User:
    names = (who.name for who in found.people if (who.organization, who.role) == (owner, "member"))
    return found.users[next(iter(names))]


def _waiting(found: Consortium, owner: str | None) -> None:
    name = f"w-{uuid4()}"
    who = {"issuer": "https://id", "subject": name, "username": name, "organization_id": owner}
    found.add("waiting", ExternalIdentity.objects.create(**who), owner, name=name)


def _event(found: Consortium, owner: str | None) -> None:
    name = f"e-{uuid4()}"
    what = {"key": None, "name": name, "actor": None, "organization_id": owner}
    record_private(
        Action.SIGNED_IN, SubjectKind.USER, result=Event.Result.REFUSED, detail={}, **what
    )
    found.add("event", Event.objects.get(asset_name=name), owner, name=name)
