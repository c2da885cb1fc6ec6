"""What may feed the inputs of a task: what its organisation or its worker is permitted to use.

Offers only help to choose: whether what was chosen may be used is for the rules to say.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from ...common.api.filters import SearchFilter
from ...common.kinds import AssetKind
from ...common.parsing import as_key
from ...common.text.moments import utc_day
from ...datasets.models import DataSample, Dataset
from ...functions.models import Function, FunctionInput, FunctionOutput
from ...permissions.queries import allowing_all
from ...permissions.specs import PermissionsSpec
from ..models import Model, TaskOutput
from ..statuses import TaskStatus
from .draft import Draft, function_of, key_of, outputs_of
from .names import Names

# How many registered outputs and models are offered at once; a search finds the others.
OFFERED = 10
# How many outputs of the same plan are.
OF_PLAN = 60


class Source(NamedTuple):
    """Something that may feed a model input; `value` is what the form sends for it."""

    value: str
    label: str
    note: str = ""


class Group(NamedTuple):
    """Sources of one origin, under a heading."""

    heading: str
    sources: Sequence[Source]


def usable_functions(organization_id: str | None) -> QuerySet[Function]:
    """Return the functions that the organisation may run."""
    if organization_id is None:
        return Function.objects.none()
    return Function.objects.filter(permissions__in=allowing_all([organization_id]))


def usable_datasets(organization_id: str | None) -> QuerySet[Dataset]:
    """Return the datasets that the organisation may process."""
    if organization_id is None:
        return Dataset.objects.none()
    return Dataset.objects.filter(permissions__in=allowing_all([organization_id]))


def samples_of(dataset_key: UUID | None) -> QuerySet[DataSample]:
    if dataset_key is None:
        return DataSample.objects.none()
    return DataSample.objects.filter(links__dataset=dataset_key)


# --- Models ---------------------------------------------------------------------------------------


def value_of(ref: Any) -> str:
    """Return how the form spells an input's source: ``task:KEY:OUTPUT`` or ``model:KEY``."""
    if parent := ref.get("parent_task_key"):
        return f"task:{parent}:{ref.get('parent_task_output_identifier') or ''}"
    return f"model:{ref.get('asset_key') or ''}"


def ref_of(value: str) -> dict[str, str] | None:
    """Return the source that the form spells so; None for nonsense."""
    kind, _, rest = value.partition(":")
    key, _, output = rest.partition(":")
    if as_key(key) is None:
        return None
    if kind == "task":
        return {"parent_task_key": key, "parent_task_output_identifier": output}
    return {"asset_key": key} if kind == "model" else None


class Offers:
    """The sources of one model input, for a worker."""

    def __init__(self, declared: FunctionInput, worker: str, owner: str) -> None:
        self.declared, self.worker, self.owner = declared, worker, owner

    def of_draft(self, draft: Draft, names: Names, task_key: UUID | None) -> list[Source]:
        """Return the fitting outputs of the draft's tasks, but for those that depend on this."""
        below = draft.below(task_key)
        found = []
        for place, task in enumerate(draft):
            key, function = key_of(task), function_of(task)
            if key is None or function is None or key in below:
                continue
            given = outputs_of(task)
            for identifier, declared in names.outputs.get(function, {}).items():
                if self._fits(declared["kind"], declared["multiple"]):
                    label = f"{identifier} of task {names.task(place)}"
                    note = self._note(task.get("worker"), given.get(identifier, {}))
                    found.append(Source(f"task:{key}:{identifier}", label, note))
        return found

    def _fits(self, kind: str, multiple: bool) -> bool:
        return kind == AssetKind.MODEL and (self.declared.multiple or not multiple)

    def _note(self, made_by: Any, output: Any) -> str:
        permitted = permissions_in(output).owned_by(self.owner).allows(self.worker)
        note = f"on {made_by}" if made_by else ""
        if self.worker and not permitted:
            return f"{note}, not permitted to {self.worker} yet".lstrip(", ")
        return note

    def of_plan(self, plan_key: UUID, term: str) -> list[Source]:
        """Return the fitting outputs of the plan's registered tasks."""
        return self._outputs(self._registered(term).filter(task__compute_plan=plan_key), OF_PLAN)

    def of_others(self, plan_key: UUID | None, term: str) -> list[Source]:
        """Return the newest fitting outputs of other plans that the worker may use."""
        rows = self._registered(term).filter(permissions__in=allowing_all([self.worker]))
        return self._outputs(rows.exclude(task__compute_plan=plan_key) if plan_key else rows)

    def _registered(self, term: str) -> QuerySet[TaskOutput]:
        made = FunctionOutput.objects.filter(
            function=OuterRef("task__function"),
            identifier=OuterRef("identifier"),
            kind=AssetKind.MODEL,
            **({} if self.declared.multiple else {"multiple": False}),
        )
        rows = TaskOutput.objects.filter(Exists(made)).exclude(
            task__status__in=(TaskStatus.FAILED, TaskStatus.CANCELED)
        )
        fields = ("task__key", "task__function__name", "task__compute_plan__name", "task__tag")
        return SearchFilter(*fields).filter(rows, term)

    def _outputs(self, rows: QuerySet[TaskOutput], limit: int = OFFERED) -> list[Source]:
        return _sources(rows.order_by("-task__creation_date", "-task__rank", "task", "pk")[:limit])

    def models(self, term: str) -> list[Source]:
        """Return the newest models that the worker may use."""
        rows = Model.objects.exclude(file="")
        rows = rows.filter(permissions__in=allowing_all([self.worker]))
        fields = ("key", "task__function__name", "task__compute_plan__name")
        return _models(SearchFilter(*fields).filter(rows, term).order_by("-creation_date", "-pk"))


def named(values: Iterable[str]) -> list[Source]:
    """Return the sources that these values spell, whether anybody may use them or not."""
    refs = {value: ref for value in values if (ref := ref_of(value))}
    parents = {key for ref in refs.values() if (key := as_key(ref.get("parent_task_key")))}
    keys = {key for ref in refs.values() if (key := as_key(ref.get("asset_key")))}
    found: list[Source] = []
    if parents:
        found += _sources(TaskOutput.objects.filter(task_id__any=parents))
    if keys:
        found += _models(Model.objects.filter(key__any=keys), None)
    known = {source.value: source for source in found}
    return [known.get(value) or Source(value, f"unknown {value}"[:60]) for value in refs]


def _sources(rows: QuerySet[TaskOutput]) -> list[Source]:
    return [
        Source(
            f"task:{key}:{identifier}",
            f"{identifier} of {function} {str(key)[:8]}",
            f"{plan}, on {worker}",
        )
        for key, identifier, function, plan, worker in rows.values_list(
            "task_id",
            "identifier",
            "task__function__name",
            "task__compute_plan__name",
            "task__worker_id",
        )
    ]


def _models(rows: QuerySet, limit: int | None = OFFERED) -> list[Source]:
    values = rows.values_list("key", "task__function__name", "owner_id", "creation_date")
    return [
        Source(f"model:{key}", f"model {str(key)[:8]} of {function}", f"{owner}, {utc_day(date)}")
        for key, function, owner, date in values[:limit]
    ]


def grouped(groups: Iterable[tuple[str, Sequence[Source]]], chosen: Collection[str]) -> list[Group]:
    """Return the groups with content; what is chosen but not offered comes first, by itself."""
    found = [Group(heading, sources) for heading, sources in groups if sources]
    offered = {source.value for group in found for source in group.sources}
    if missing := [value for value in chosen if value not in offered]:
        found.insert(0, Group("Chosen", named(missing)))
    return found


def permissions_in(output: Any) -> PermissionsSpec:
    """Return the permissions that a task's JSON gives an output, as far as they can be read."""
    value = output.get("permissions") if isinstance(output, dict) else None
    value = value if isinstance(value, dict) else {}
    ids = value.get("authorized_ids")
    ids = [item for item in ids if isinstance(item, str)] if isinstance(ids, list) else []
    return PermissionsSpec(value.get("public") is True, tuple(ids))
