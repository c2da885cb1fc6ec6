"""The table of functions."""

from typing import Any
from uuid import UUID

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ..common.pages.tables import (
    COLUMN_COUNT_LIMIT,
    AssetTable,
    CountColumn,
    LinkColumn,
    MetadataColumn,
    StatusColumn,
)
from ..permissions.columns import PermissionsColumn
from .models import FunctionStatus
from .queries import inputs_of, outputs_of, task_counts_of

NAMED = 4


class IdentifiersColumn(CountColumn):
    """What a function calls its inputs or outputs; the first few of them where they are many."""

    def __init__(self, slots_of: Any, **kwargs: Any) -> None:
        super().__init__(slots_of, None, **{"attrs": {"td": {"class": "identifiers"}}, **kwargs})

    def identifiers(self, table: Any, pk: UUID) -> list[str]:
        return list(self.counted(table, pk) or ())

    def render(self, value: UUID, table: Any) -> SafeString:
        found = self.identifiers(table, value)
        more = len(found) - NAMED if len(found) > NAMED + 1 else 0
        shown = ", ".join(found[:NAMED] if more else found)
        ending = f" and {more:,} more" if more else ""
        return format_html('<span title="{}">{}{}</span>', ", ".join(found), shown, ending)

    def value(self, value: UUID, table: Any) -> str:
        return ", ".join(self.identifiers(table, value))


class FunctionTable(AssetTable):
    shown = (
        *("name", "owner", "permissions", "status"),
        *("inputs", "outputs", "tasks", "creation_date"),
    )

    name = LinkColumn("function", order_by="name_order", attrs={"td": {"class": "name"}})
    permissions = PermissionsColumn(verbose_name="Who may use it")
    status = StatusColumn(FunctionStatus)
    inputs = IdentifiersColumn(inputs_of, verbose_name="Inputs")
    outputs = IdentifiersColumn(outputs_of, verbose_name="Outputs")
    tasks = CountColumn(task_counts_of, COLUMN_COUNT_LIMIT, verbose_name="Tasks")
    metadata = MetadataColumn(orderable=False)
    archive_checksum = tables.Column(attrs={"td": {"class": "mono"}}, orderable=False)

    class Meta(AssetTable.Meta):
        sequence = ("name", "key", "owner", "permissions", "status", "...", "creation_date")
