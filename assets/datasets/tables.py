"""Tables of datasets and data samples."""

from typing import Any

import django_tables2 as tables
from django.template.defaultfilters import filesizeformat

from ..common.tables import AssetTable, CountColumn, MetadataColumn
from ..permissions.columns import PermissionsColumn
from .queries import dataset_counts_of, sample_counts_of, task_counts_of_datasets


class DatasetTable(AssetTable):
    shown = ("name", "type", "owner", "permissions", "samples", "tasks", "creation_date")

    name = tables.Column(linkify=("dataset", {"key": tables.A("pk")}))
    type = tables.Column()
    permissions = PermissionsColumn(verbose_name="Who may use it")
    logs_permission = PermissionsColumn(verbose_name="Who may read logs")
    samples = CountColumn(sample_counts_of, verbose_name="Samples")
    tasks = CountColumn(task_counts_of_datasets, verbose_name="Tasks")
    metadata = MetadataColumn(orderable=False)
    opener_checksum = tables.Column(attrs={"td": {"class": "mono"}}, orderable=False)

    class Meta(AssetTable.Meta):
        sequence = ("name", "key", "type", "owner", "permissions", "...", "creation_date")


class DataSampleTable(AssetTable):
    shown = ("key", "owner", "source", "datasets", "creation_date")

    key = tables.Column(linkify=("data-sample", {"key": tables.A("pk")}), verbose_name="Key")
    source = tables.Column(accessor="archive", orderable=False, empty_values=())
    datasets = CountColumn(dataset_counts_of, verbose_name="Datasets")
    size = tables.Column(orderable=False, empty_values=())

    def render_source(self, value: Any) -> str:
        return "uploaded" if value else "folder on the server"

    def render_size(self, record: Any) -> str:
        # What a sample holds is told to its owner only, as by the API.
        own = record.owner_id == self.request.user.organization_id
        return filesizeformat(record.size) if own else ""

    class Meta(AssetTable.Meta):
        sequence = ("key", "owner", "source", "datasets", "size", "creation_date")
