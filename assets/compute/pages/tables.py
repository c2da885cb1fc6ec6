"""Tables of compute plans and tasks."""

from functools import cached_property
from typing import Any
from uuid import UUID

import django_tables2 as tables
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy as _

from ...common.pages.markup import tag
from ...common.pages.tables import (
    AssetTable,
    KeyColumn,
    LinkColumn,
    MetadataColumn,
    NumberColumn,
    StatusColumn,
    WhenColumn,
)
from ..models import ComputePlan, Task
from ..queries.lists import creator_of
from ..queries.waiting import WITHOUT_APPROVAL
from ..statuses import PlanStatus, TaskStatus

_CAN_RUN = TaskStatus.WAITING_FOR_EXECUTOR_SLOT


class ComputePlanTable(AssetTable):
    hidden_columns = ("key", "task_count", "failed_count", "metadata", "start_date", "end_date")

    name = LinkColumn(
        "compute-plan",
        order_by="name_order",
        verbose_name=_("Name"),
        attrs={"td": {"class": "name"}},
    )
    status = StatusColumn(PlanStatus, verbose_name=_("Status"))
    done_count = NumberColumn(verbose_name=_("Tasks done"))
    task_count = NumberColumn(verbose_name=_("Tasks"))
    failed_count = NumberColumn(verbose_name=_("Tasks failed"))
    tag = tables.Column(verbose_name=_("Tag"))
    creator = tables.Column(verbose_name=_("Creator"), empty_values=(), orderable=False)
    metadata = MetadataColumn(orderable=False, verbose_name=_("Metadata"))
    start_date = WhenColumn(verbose_name=_("Started"))
    end_date = WhenColumn(verbose_name=_("Ended"))

    def render_done_count(self, record: ComputePlan) -> str:
        return f"{record.done_count:,} / {record.task_count:,}"

    def value_done_count(self, record: ComputePlan) -> int:
        return record.done_count

    def render_creator(self, record: ComputePlan) -> str:
        return creator_of(record, self.viewer.organization_id)

    class Meta(AssetTable.Meta):
        sequence = ("name", "key", "owner", "status", "done_count", "...", "creation_date")


class TaskStatusColumn(StatusColumn):
    """The status of a task, or that it waits for an approval."""

    def render(self, value: str, record: Task, table: Any) -> SafeString:
        if value == _CAN_RUN and record.pk in table.without_approval:
            return tag(gettext("waiting for approval"), value)
        return super().render(value)


class TaskTable(AssetTable):
    """Tasks. The list of all tasks cannot be sorted; see `TaskList`."""

    hidden_columns = ("owner", "metadata", "start_date", "end_date")

    key = KeyColumn(url_name="task", orderable=True, verbose_name=_("Key"))
    function = LinkColumn(
        "function",
        key="function_id",
        accessor="function__name",
        order_by="function__name_order",
        verbose_name=_("Function"),
    )
    compute_plan = LinkColumn(
        "compute-plan",
        key="compute_plan_id",
        accessor="compute_plan__name",
        verbose_name=_("Compute plan"),
        orderable=False,
    )
    status = TaskStatusColumn(TaskStatus, verbose_name=_("Status"))
    worker = tables.Column(accessor="worker_id", verbose_name=_("Worker"))
    rank = NumberColumn(verbose_name=_("Rank"))
    tag = tables.Column(verbose_name=_("Tag"))
    metadata = MetadataColumn(orderable=False, verbose_name=_("Metadata"))
    start_date = WhenColumn(verbose_name=_("Started"))
    end_date = WhenColumn(verbose_name=_("Ended"))
    creation_date = WhenColumn(verbose_name=_("Registered"), orderable=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"orderable": False, **kwargs})

    @cached_property
    def without_approval(self) -> set[UUID]:
        """The keys of the shown tasks that could run, but wait for an approval."""
        waiting = [task.pk for task in self.records if task.status == _CAN_RUN]
        return {key for find in WITHOUT_APPROVAL if waiting for key in find(waiting)}

    class Meta(AssetTable.Meta):
        sequence = ("key", "function", "compute_plan", "status", "worker", "...", "creation_date")
