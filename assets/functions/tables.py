"""The table of functions."""

from typing import Any
from uuid import UUID

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy as _

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
    """The identifiers of a function's inputs or outputs, the first few of many."""

    def __init__(self, slots_of: Any, **kwargs: Any) -> None:
        super().__init__(slots_of, None, **{"attrs": {"td": {"class": "identifiers"}}, **kwargs})

    def identifiers(self, table: Any, pk: UUID) -> list[str]:
        return list(self.counted(table, pk) or ())

    def render(self, value: UUID, table: Any) -> SafeString:
        found = self.identifiers(table, value)
        more = len(found) - NAMED if len(found) > NAMED + 1 else 0
        shown = ", ".join(found[:NAMED] if more else found)
        if more:
            values = {"names": shown, "count": f"{more:,}"}
            shown = gettext("%(names)s and %(count)s more") % values
        return format_html('<span title="{}">{}</span>', ", ".join(found), shown)

    def value(self, value: UUID, table: Any) -> str:
        return ", ".join(self.identifiers(table, value))


class FunctionTable(AssetTable):
    hidden_columns = ("key", "metadata", "archive_checksum")

    name = LinkColumn(
        "function", order_by="name_order", verbose_name=_("Name"), attrs={"td": {"class": "name"}}
    )
    permissions = PermissionsColumn(verbose_name=_("Permissions"))
    status = StatusColumn(FunctionStatus, verbose_name=_("Status"))
    inputs = IdentifiersColumn(inputs_of, verbose_name=_("Inputs"))
    outputs = IdentifiersColumn(outputs_of, verbose_name=_("Outputs"))
    tasks = CountColumn(task_counts_of, COLUMN_COUNT_LIMIT, verbose_name=_("Tasks"))
    metadata = MetadataColumn(verbose_name=_("Metadata"), orderable=False)
    archive_checksum = tables.Column(
        verbose_name=_("Archive checksum"), attrs={"td": {"class": "mono"}}, orderable=False
    )

    class Meta(AssetTable.Meta):
        sequence = ("name", "key", "owner", "permissions", "status", "...", "creation_date")
