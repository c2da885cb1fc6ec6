"""The assets that an input of a task can take, for its organisation and its worker.

Candidates only help to choose: the rules decide whether what was chosen is permitted.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from ...common.api.filters import SearchFilter
from ...common.kinds import AssetKind
from ...common.parsing import as_key
from ...common.text.moments import utc_day
from ...datasets.models import DataSample
from ...functions.models import FunctionInput, FunctionOutput
from ...permissions.queries import allowing_all
from ..models import Model, TaskOutput
from ..statuses import TaskStatus
from .draft import Draft, function_of, key_of, outputs_of, permissions_of
from .names import Names

# How many registered outputs and models are listed at once; a search finds the others.
MAX_LISTED = 10
# How many outputs of the same plan are.
MAX_OF_PLAN = 60


class Source(NamedTuple):
    """A possible source of a model input; `value` is what the form sends for it."""

    value: str
    label: str
    note: str = ""


class Group(NamedTuple):
    """Sources of one origin, under a heading."""

    heading: str
    sources: Sequence[Source]


def usable(model: Any, organization_id: str | None) -> QuerySet:
    """Return the functions or datasets that the organisation may process."""
    if organization_id is None:
        return model.objects.none()
    return model.objects.filter(permissions__in=allowing_all([organization_id]))


def samples_of(dataset_key: UUID | None) -> QuerySet[DataSample]:
    if dataset_key is None:
        return DataSample.objects.none()
    return DataSample.objects.filter(links__dataset=dataset_key)


# --- Models ---------------------------------------------------------------------------------------


def value_of(ref: Any) -> str:
    """Return the form's value for an input's source: ``task:KEY:OUTPUT`` or ``model:KEY``."""
    if parent := ref.get("parent_task_key"):
        return f"task:{parent}:{ref.get('parent_task_output_identifier') or ''}"
    return f"model:{ref.get('asset_key') or ''}"


def ref_of(value: str) -> dict[str, str] | None:
    """Return the source with this value of the form; None for an invalid one."""
    kind, _colon, rest = value.partition(":")
    key, _colon, output = rest.partition(":")
    if as_key(key) is None:
        return None
    if kind == "task":
        return {"parent_task_key": key, "parent_task_output_identifier": output}
    return {"asset_key": key} if kind == "model" else None


class InputCandidates:
    """The sources of one model input, for a worker."""

    def __init__(self, declared: FunctionInput, worker: str, owner: str) -> None:
        self.declared, self.worker, self.owner = declared, worker, owner

    def of_draft(self, draft: Draft, names: Names, task_key: UUID | None) -> list[Source]:
        """Return the matching outputs of the draft's tasks, except those that depend on this."""
        excluded = draft.with_descendants(task_key)
        found = []
        for place, task in enumerate(draft):
            key, function = key_of(task), function_of(task)
            if key is None or function is None or key in excluded:
                continue
            given = outputs_of(task)
            for identifier, declared in names.outputs.get(function, {}).items():
                is_single = self.declared.multiple or not declared["multiple"]
                if declared["kind"] == AssetKind.MODEL and is_single:
                    label = _("%(output)s of task %(task)s")
                    label %= {"output": identifier, "task": names.task(place)}
                    note = self._note(task.get("worker"), given.get(identifier, {}))
                    found.append(Source(f"task:{key}:{identifier}", label, note))
        return found

    def _note(self, made_by: Any, output: Mapping[str, Any]) -> str:
        notes = [_("on %(worker)s") % {"worker": made_by}] if made_by else []
        if self.worker and not permissions_of(output).owned_by(self.owner).allows(self.worker):
            notes.append(_("not permitted to %(worker)s yet") % {"worker": self.worker})
        return ", ".join(notes)

    def of_plan(self, plan_key: UUID, term: str) -> list[Source]:
        """Return the matching outputs of the plan's registered tasks."""
        rows = self._registered(term).filter(task__compute_plan=plan_key)
        return self._outputs(rows, MAX_OF_PLAN)

    def of_others(self, plan_key: UUID | None, term: str) -> list[Source]:
        """Return the newest matching outputs of other plans that the worker may process."""
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

    def _outputs(self, rows: QuerySet[TaskOutput], limit: int = MAX_LISTED) -> list[Source]:
        ordered = rows.order_by("-task__creation_date", "-task__rank", "task", "pk")
        return _output_sources(ordered[:limit])

    def models(self, term: str) -> list[Source]:
        """Return the newest models that the worker may process."""
        rows = Model.objects.exclude(file="")
        rows = rows.filter(permissions__in=allowing_all([self.worker]))
        fields = ("key", "task__function__name", "task__compute_plan__name")
        rows = SearchFilter(*fields).filter(rows, term).order_by("-creation_date", "-pk")
        return _model_sources(rows[:MAX_LISTED])


def find_sources(values: Iterable[str]) -> list[Source]:
    """Return the sources with these values, permitted or not."""
    refs = {value: ref for value in values if (ref := ref_of(value))}
    parents = {key for ref in refs.values() if (key := as_key(ref.get("parent_task_key")))}
    keys = {key for ref in refs.values() if (key := as_key(ref.get("asset_key")))}
    found: list[Source] = []
    if parents:
        found += _output_sources(TaskOutput.objects.filter(task_id__any=parents))
    if keys:
        found += _model_sources(Model.objects.filter(key__any=keys))
    known = {source.value: source for source in found}
    unknown = _("unknown %(value)s")
    return [known.get(value) or Source(value, (unknown % {"value": value})[:60]) for value in refs]


def _output_sources(rows: QuerySet[TaskOutput]) -> list[Source]:
    label, note = _("%(output)s of %(function)s %(key)s"), _("%(plan)s, on %(worker)s")
    return [
        Source(
            f"task:{key}:{identifier}",
            label % {"output": identifier, "function": function, "key": str(key)[:8]},
            note % {"plan": plan, "worker": worker},
        )
        for key, identifier, function, plan, worker in rows.values_list(
            "task_id",
            "identifier",
            "task__function__name",
            "task__compute_plan__name",
            "task__worker_id",
        )
    ]


def _model_sources(rows: QuerySet) -> list[Source]:
    label = _("model %(key)s of %(function)s")
    values = rows.values_list("key", "task__function__name", "owner_id", "creation_date")
    return [
        Source(
            f"model:{key}",
            label % {"key": str(key)[:8], "function": function},
            f"{owner}, {utc_day(date)}",
        )
        for key, function, owner, date in values
    ]


def group_sources(
    groups: Iterable[tuple[str, Sequence[Source]]], chosen: Collection[str]
) -> list[Group]:
    """Return the groups that have sources; chosen sources in none of them come first."""
    found = [Group(heading, sources) for heading, sources in groups if sources]
    listed = {source.value for group in found for source in group.sources}
    if missing := [value for value in chosen if value not in listed]:
        found.insert(0, Group(_("Chosen"), find_sources(missing)))
    return found
