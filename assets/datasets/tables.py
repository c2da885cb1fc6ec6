"""Tables of datasets and data samples."""

from typing import Any

import django_tables2 as tables
from django.template.defaultfilters import filesizeformat

from ..common.pages.tables import (
    COLUMN_COUNT_LIMIT,
    AssetTable,
    CountColumn,
    LinkColumn,
    MetadataColumn,
)
from ..permissions.access import may_see_content
from ..permissions.columns import PermissionsColumn
from .queries import (
    dataset_counts_of,
    sample_counts_of,
    task_counts_of_datasets,
    task_counts_of_samples,
)


class DatasetTable(AssetTable):
    shown = ("name", "type", "owner", "permissions", "samples", "tasks", "creation_date")

    name = LinkColumn("dataset", order_by="name_order", attrs={"td": {"class": "name"}})
    type = tables.Column()
    permissions = PermissionsColumn(verbose_name="Who may use it")
    logs_permission = PermissionsColumn(verbose_name="Who may read logs")
    samples = CountColumn(sample_counts_of, COLUMN_COUNT_LIMIT, verbose_name="Samples")
    tasks = CountColumn(task_counts_of_datasets, COLUMN_COUNT_LIMIT, verbose_name="Tasks")
    metadata = MetadataColumn(orderable=False)
    opener_checksum = tables.Column(attrs={"td": {"class": "mono"}}, orderable=False)

    class Meta(AssetTable.Meta):
        sequence = ("name", "key", "type", "owner", "permissions", "...", "creation_date")


class DataSampleTable(AssetTable):
    shown = ("key", "owner", "source", "datasets", "tasks", "creation_date")

    key = LinkColumn("data-sample", verbose_name="Key", attrs={"td": {"class": "mono nowrap"}})
    source = tables.Column(
        accessor="archive", verbose_name="Source", orderable=False, empty_values=()
    )
    datasets = CountColumn(dataset_counts_of, COLUMN_COUNT_LIMIT, verbose_name="Datasets")
    tasks = CountColumn(task_counts_of_samples, COLUMN_COUNT_LIMIT, verbose_name="Tasks")
    size = tables.Column(orderable=False, empty_values=())

    def render_source(self, value: Any) -> str:
        return "uploaded" if value else "folder on the server"

    def render_size(self, record: Any) -> str:
        size = self.value_size(record)
        return "" if size is None else filesizeformat(size)

    def value_size(self, record: Any) -> int | None:
        return record.size if may_see_content(self.viewer, record) else None

    class Meta(AssetTable.Meta):
        sequence = ("key", "owner", "source", "datasets", "tasks", "size", "creation_date")
