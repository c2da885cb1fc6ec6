"""Tables of datasets and data samples."""

from typing import Any

import django_tables2 as tables
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext_lazy as _

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
    hidden_columns = ("key", "logs_permission", "metadata", "opener_checksum")

    name = LinkColumn(
        "dataset", order_by="name_order", verbose_name=_("Name"), attrs={"td": {"class": "name"}}
    )
    type = tables.Column(verbose_name=_("Type"))
    permissions = PermissionsColumn(verbose_name=_("Permissions"))
    logs_permission = PermissionsColumn(verbose_name=_("Logs permissions"))
    samples = CountColumn(sample_counts_of, COLUMN_COUNT_LIMIT, verbose_name=_("Samples"))
    tasks = CountColumn(task_counts_of_datasets, COLUMN_COUNT_LIMIT, verbose_name=_("Tasks"))
    metadata = MetadataColumn(verbose_name=_("Metadata"), orderable=False)
    opener_checksum = tables.Column(
        verbose_name=_("Opener checksum"), attrs={"td": {"class": "mono"}}, orderable=False
    )

    class Meta(AssetTable.Meta):
        sequence = ("name", "key", "type", "owner", "permissions", "...", "creation_date")


class DataSampleTable(AssetTable):
    hidden_columns = ("size",)

    key = LinkColumn("data-sample", verbose_name=_("Key"), attrs={"td": {"class": "mono nowrap"}})
    source = tables.Column(
        accessor="archive", verbose_name=_("Source"), orderable=False, empty_values=()
    )
    datasets = CountColumn(dataset_counts_of, COLUMN_COUNT_LIMIT, verbose_name=_("Datasets"))
    tasks = CountColumn(task_counts_of_samples, COLUMN_COUNT_LIMIT, verbose_name=_("Tasks"))
    size = tables.Column(verbose_name=_("Size"), orderable=False, empty_values=())

    def render_source(self, record: Any) -> str:
        if not record.at_runner:
            return record.source_label
        return f"{record.source_label}, {record.found.state_label}"

    def render_size(self, record: Any) -> str:
        size = self.value_size(record)
        return "" if size is None else filesizeformat(size)

    def value_size(self, record: Any) -> int | None:
        # Unknown before a look.
        content = record.content
        return content.size if content.checksum and may_see_content(self.viewer, record) else None

    class Meta(AssetTable.Meta):
        sequence = ("key", "owner", "source", "datasets", "tasks", "size", "creation_date")
