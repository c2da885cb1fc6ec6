"""Pages of tasks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from django.db.models import QuerySet
from django.utils.functional import cached_property
from django.utils.translation import gettext, gettext_lazy as _

from ...accounts.pages.waiting import Line, WorkMixin
from ...common.db.counting import RowCount
from ...common.kinds import AssetKind
from ...common.pages.bars import steps_bar
from ...common.pages.base import Crumb, crumb
from ...common.pages.snippets import Snippets
from ...common.pages.tables import AssetTable
from ...datasets.models import Dataset
from ...feed.pages.assets import AssetPage
from ...functions.models import Function
from ...functions.pages import failure_of
from ...functions.queries import inputs_of, outputs_of
from ...permissions.access import why_no_model
from ...permissions.models import Permissions
from ...permissions.pages import AssetListPage
from ..models import ComputePlan, Model, Performance, Task, TaskInput, TaskOutput
from ..queries.copies import spec_of_task
from ..queries.lists import count_of_all
from ..queries.outputs import (
    models_of,
    outputs_with_permissions,
    performances_of,
    report_of,
    steps_of,
)
from ..queries.relations import children_of, inputs_with_sources, parents_of
from ..queries.waiting import progress_of
from ..snippets import MAX_SAMPLES, task_snippets
from ..statuses import FINAL, TaskStep
from .base import TaskPageMixin, duration_text
from .filters import TaskListFilterSet
from .tables import TaskTable
from .waiting import task_lines

# Columns that the list does not show.
DEFERRED = [
    f"{relation}__{column.name}"
    for relation, model in (("function", Function), ("compute_plan", ComputePlan))
    for column in model._meta.concrete_fields
    if column.name not in ("key", "name")
] + ["digest", "error_type", "logs_permission"]
# How many parents, children and assets of one input the page of a task shows.
PREVIEW_ROWS = 20
# How many inputs, outputs and, when unfolded, assets of one input it lists.
MAX_LISTED = 200


class TaskList(TaskPageMixin, AssetListPage):
    table_class = TaskTable
    filterset_class = TaskListFilterSet
    empty_hint = _("A task is one run of a function, on the data of one organisation.")
    filter_models = {
        "compute_plan_key": ComputePlan,
        "function_key": Function,
        "dataset_key": Dataset,
    }

    def rows(self) -> QuerySet:
        # A row shows only the names of the function and the plan.
        return self.queryset.defer(*DEFERRED)

    def count_all(self) -> RowCount:
        return RowCount(count_of_all(), exact=True)

    def make_table(self, rows: Any, **options: Any) -> AssetTable:
        # Tasks of one plan can be sorted by any column; all tasks, which may be millions, only by
        # columns that have an index.
        if self.request.GET.get("compute_plan_key"):
            return super().make_table(rows, **{"orderable": True, "order_by": "rank", **options})
        return super().make_table(rows, orderable=False, **options)


@dataclass
class Input:
    """One input of a task, with its sources."""

    identifier: str
    kind: AssetKind
    # A data sample is a mapping with its key.
    sources: list[TaskInput | dict[str, str]] = field(default_factory=list)
    # How many sources there are; `sources` has the first ones.
    total: int = 0

    @property
    def first(self) -> list[TaskInput | dict[str, str]]:
        return self.sources[:PREVIEW_ROWS]

    @property
    def more(self) -> list[TaskInput | dict[str, str]]:
        return self.sources[PREVIEW_ROWS:]

    @property
    def more_count(self) -> int:
        return self.total - len(self.first)

    @property
    def unlisted(self) -> int:
        return self.total - len(self.sources)


@dataclass
class Output:
    """One output of a task, with its models or its performance."""

    identifier: str
    kind: AssetKind
    output: TaskOutput
    # Each with the reason why the user cannot download it, blank if the user can.
    models: list[tuple[Model, str]]
    performance: Performance | None


class TaskPage(TaskPageMixin, WorkMixin, AssetPage):
    """A task, with its inputs, its outputs and why it failed."""

    queryset = TaskPageMixin.queryset.select_related("logs_permission")
    template_name = "compute/task.html"

    def get_title(self) -> str:
        names = {"function": self.object.function, "worker": self.object.worker_id}
        return gettext("%(function)s on %(worker)s") % names

    def work(self) -> object:
        task = self.object
        if task.status in FINAL:
            return None
        return task.status, task.compute_plan.status, progress_of(task.pk)

    def lines(self) -> Iterable[Line]:
        return task_lines(self.object)

    def progress(self) -> str:
        status = {"status": self.object.get_status_display()}
        return gettext("The status of this task is: %(status)s.") % status

    def crumbs(self) -> Sequence[Crumb]:
        plan = self.object.compute_plan
        return [
            crumb(gettext("Compute plans"), "compute-plans"),
            crumb(plan.name, "compute-plan", plan.pk),
        ]

    @cached_property
    def outputs(self) -> list[Output]:
        """The task's outputs in the function's order; four queries."""
        task = self.object
        kinds = outputs_of([task.function_id])[task.function_id]
        order = {identifier: place for place, identifier in enumerate(kinds)}
        rows = sorted(outputs_with_permissions([task.pk]), key=lambda row: order[row.identifier])
        models, performances = models_of(task.pk), performances_of(task.pk)
        return [
            Output(
                row.identifier,
                AssetKind(kinds[row.identifier]["kind"]),
                row,
                [(model, self.why_no_file(model)) for model in models.get(row.identifier, ())],
                performances.get(row.identifier),
            )
            for row in rows
        ]

    def why_no_file(self, model: Model) -> str:
        """Return why the user cannot download a model, blank if it can; the API decides alike."""
        if why_not := why_no_model(self.user, model.permissions, model.owner_id):
            return why_not
        if model.file:
            return ""
        return gettext("Deleted: it was transient, and no task needs it any more.")

    def uses(self) -> list[tuple[str, Permissions]]:
        use = gettext("use %(output)s")
        found = [
            (use % {"output": output.identifier}, output.output.permissions)
            for output in self.outputs
            if output.kind == AssetKind.MODEL
        ]
        return [*found, (gettext("read logs"), self.object.logs_permission)]

    def snippets(self) -> Snippets:
        spec = spec_of_task(self.object, MAX_SAMPLES + 1)
        return task_snippets(replace(spec, key=uuid4()), self.request)

    def failure(self) -> dict[str, Any]:
        """Return the report of a failed task, and whether the user can read its logs."""
        task = self.object
        report = report_of(task) if task.error_type else None
        return failure_of(
            report,
            self.request,
            gettext("%(worker)s, where the task ran,") % {"worker": task.worker_id},
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        task = self.object
        parents, parent_count = parents_of.some([task.pk], PREVIEW_ROWS)
        children, child_count = children_of.some([task.pk], PREVIEW_ROWS)
        inputs = _inputs(task)
        return super().get_context_data(
            duration=duration_text(task.start_date, task.end_date),
            inputs=inputs[:MAX_LISTED],
            more_inputs=len(inputs[MAX_LISTED:]),
            outputs=self.outputs[:MAX_LISTED],
            more_outputs=len(self.outputs[MAX_LISTED:]),
            steps=steps_bar(TaskStep, steps_of(task.pk)),
            parents=parents,
            parent_count=parent_count,
            children=children,
            child_count=child_count,
            **self.failure(),
            **kwargs,
        )


def _inputs(task: Task) -> list[Input]:
    """Return the inputs of a task in the function's order.

    Two queries; three if there are more sources than are listed.
    """
    kinds = inputs_of([task.function_id])[task.function_id]
    found = {name: Input(name, AssetKind(kinds[name]["kind"])) for name in kinds}
    for row, total in inputs_with_sources(task.pk, MAX_LISTED):
        sources = found[row.identifier].sources
        samples = row.sample_set.keys if row.sample_set else None
        sources += [row] if samples is None else [{"sample": key} for key in samples]
        del sources[MAX_LISTED:]
        found[row.identifier].total = total
    return list(found.values())
