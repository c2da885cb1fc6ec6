"""The table of what happened."""

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ..common.pages.base import asset_url
from ..common.pages.markup import short, tag
from ..common.pages.tables import AssetTable, LinkColumn, WhenColumn
from .models import Event

# How an action looks; the others are told as they are.
LOOKS: dict[str, str] = {
    Event.Action.REGISTERED: "accent",
    Event.Action.ENDED: "good",
    Event.Action.CANCELED: "warn",
}
# How plans end, as their own pages call it.
_ENDED = {"STATUS_CANCELED": "cancelled"}
# How many keys of a longer list are shown.
NAMED = 2


def how_ended(event: Event) -> str:
    """Return in a word how a plan ended; blank for other events."""
    status = str(event.detail.get("status", ""))
    return _ENDED.get(status, status.removeprefix("STATUS_").lower())


def detail_of(event: Event) -> str:
    """Say what an event tells besides: the name before, how a plan ended, which file, what path."""
    detail = event.detail
    said = []
    if name := detail.get("old_name"):
        said.append(f"before: {name}")
    if ended := how_ended(event):
        said.append(ended)
    if key := detail.get("first_failed_task_key"):
        said.append(f"task {short(key)} failed first")
    if path := detail.get("path"):
        said.append(f"{detail.get('method', '')} {path}".strip())
    said += [str(detail[name]) for name in ("file", "changed") if detail.get(name)]
    if keys := detail.get("data_manager_keys"):
        more = f" and {len(keys) - NAMED} more" if len(keys) > NAMED else ""
        said.append(f"to dataset {', '.join(short(key) for key in keys[:NAMED])}{more}")
    return ", ".join(said)


class EventTable(AssetTable):
    """What happened, the newest first."""

    shown: tuple[str, ...] = (
        "timestamp",
        "action",
        "asset",
        "asset_kind",
        "actor_name",
        "organization",
        "detail",
    )
    tie_breaker = "-pk"
    name_columns = ("asset_name", "visible_actor")

    timestamp = WhenColumn(verbose_name="When")
    action = tables.Column(verbose_name="What")
    asset = tables.Column(
        accessor="asset_name",
        verbose_name="Asset",
        empty_values=(),
        attrs={"td": {"class": "name"}},
    )
    asset_kind = tables.Column(verbose_name="Kind")
    actor_name = tables.Column(accessor="visible_actor", verbose_name="By")
    organization = LinkColumn(
        "organization", key="organization_id", accessor="organization_id", verbose_name="For"
    )
    asset_key = tables.Column(verbose_name="Key", attrs={"td": {"class": "mono"}}, orderable=False)
    detail = tables.Column(orderable=False)

    def render_action(self, record: Event) -> SafeString:
        failed = "failed" in str(record.detail.get("status", "")).lower()
        looks = "bad" if failed else LOOKS.get(record.action, "plain")
        return tag(record.get_action_display().lower(), looks)

    def value_action(self, record: Event) -> str:
        return record.get_action_display().lower()

    def render_asset_kind(self, record: Event) -> str:
        return record.get_asset_kind_display()

    def render_asset(self, record: Event) -> SafeString | str:
        name = record.asset_name or (short(record.asset_key) if record.asset_key else "")
        url = asset_url(record)
        looks = "" if record.asset_name else "mono"
        return format_html('<a href="{}" class="{}">{}</a>', url, looks, name) if url else name

    def value_asset(self, record: Event) -> str:
        return record.asset_name

    def render_detail(self, record: Event) -> str:
        return detail_of(record)

    class Meta(AssetTable.Meta):
        exclude = ("key", "owner", "creation_date")
        sequence = ("timestamp", "...", "detail")
        order_by = "-timestamp"


class AuditTable(EventTable):
    """What happened or was refused, and from where."""

    default_columns = (
        "timestamp",
        "action",
        "result",
        "asset",
        "asset_kind",
        "actor_name",
        "address",
        "detail",
    )

    timestamp = WhenColumn(verbose_name="When", exact=True)
    result = tables.Column()
    address = tables.Column(attrs={"td": {"class": "mono"}})

    def render_result(self, record: Event) -> SafeString:
        looks = "bad" if record.result == Event.Result.REFUSED else "plain"
        return tag(record.get_result_display().lower(), looks)

    def value_result(self, record: Event) -> str:
        return record.result

    class Meta(EventTable.Meta):
        pass
