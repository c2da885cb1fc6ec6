"""Tables of compute plans and tasks."""

from typing import Any

import django_tables2 as tables

from ...common.pages.tables import (
    AssetTable,
    KeyColumn,
    LinkColumn,
    MetadataColumn,
    NumberColumn,
    StatusColumn,
    WhenColumn,
)
from ..models import ComputePlan
from ..queries.lists import creator_of
from ..statuses import PlanStatus, TaskStatus


class ComputePlanTable(AssetTable):
    shown = ("name", "owner", "status", "done_count", "tag", "creator", "creation_date")

    name = LinkColumn("compute-plan", order_by="name_order", attrs={"td": {"class": "name"}})
    status = StatusColumn(PlanStatus)
    done_count = NumberColumn(verbose_name="Tasks done")
    task_count = NumberColumn(verbose_name="Tasks")
    failed_count = NumberColumn(verbose_name="Tasks failed")
    tag = tables.Column()
    creator = tables.Column(empty_values=(), orderable=False)
    metadata = MetadataColumn(orderable=False)
    start_date = WhenColumn(verbose_name="Started")
    end_date = WhenColumn(verbose_name="Ended")

    def render_done_count(self, record: ComputePlan) -> str:
        return f"{record.done_count:,} / {record.task_count:,}"

    def value_done_count(self, record: ComputePlan) -> int:
        return record.done_count

    def render_creator(self, record: ComputePlan) -> str:
        return creator_of(record, self.viewer.organization_id)

    class Meta(AssetTable.Meta):
        sequence = ("name", "key", "owner", "status", "done_count", "...", "creation_date")


class TaskTable(AssetTable):
    """Tasks. Among all of them the order is by what an index knows; see `TaskList`."""

    shown = (
        "key",
        "function",
        "compute_plan",
        "status",
        "worker",
        "rank",
        "tag",
        "creation_date",
    )

    key = KeyColumn(url_name="task", orderable=True)
    function = LinkColumn(
        "function",
        key="function_id",
        accessor="function__name",
        order_by="function__name_order",
        verbose_name="Function",
    )
    compute_plan = LinkColumn(
        "compute-plan",
        key="compute_plan_id",
        accessor="compute_plan__name",
        verbose_name="Compute plan",
        orderable=False,
    )
    status = StatusColumn(TaskStatus)
    worker = tables.Column(accessor="worker_id", verbose_name="Worker")
    rank = NumberColumn()
    tag = tables.Column()
    metadata = MetadataColumn(orderable=False)
    start_date = WhenColumn(verbose_name="Started")
    end_date = WhenColumn(verbose_name="Ended")
    creation_date = WhenColumn(verbose_name="Registered", orderable=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"orderable": False, **kwargs})

    class Meta(AssetTable.Meta):
        sequence = (
            "key",
            "function",
            "compute_plan",
            "status",
            "worker",
            "owner",
            "rank",
            "...",
            "creation_date",
        )
