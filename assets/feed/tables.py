"""The tables of events."""

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy as _

from ..accounts.registration.events import change_text
from ..common.pages.base import asset_url
from ..common.pages.markup import short, tag
from ..common.pages.tables import AssetTable, LinkColumn, WhenColumn
from .models import Event

# The colours of actions; others have none.
LOOKS: dict[str, str] = {
    Event.Action.REGISTERED: "accent",
    Event.Action.ENDED: "good",
    Event.Action.CANCELED: "warn",
    Event.Action.APPROVED: "good",
    Event.Action.DECLINED: "bad",
}
# How plans end, by the status in the event.
_ENDED = {"STATUS_DONE": _("done"), "STATUS_FAILED": _("failed"), "STATUS_CANCELED": _("cancelled")}
# How many keys of a list are shown.
NAMED = 2


def how_ended(event: Event) -> str:
    """Return how a plan ended, such as "done"; an empty string for other events."""
    status = str(event.detail.get("status", ""))
    return str(_ENDED.get(status, status.removeprefix("STATUS_").lower()))


def detail_of(event: Event) -> str:
    """Return the details of an event: the old name, how a plan ended, which file, which path."""
    detail = event.detail
    texts = []
    if name := detail.get("old_name"):
        texts.append(gettext("before: %(name)s") % {"name": name})
    if ended := how_ended(event):
        texts.append(ended)
    if key := detail.get("first_failed_task_key"):
        texts.append(gettext("task %(key)s failed first") % {"key": short(key)})
    if path := detail.get("path"):
        texts.append(f"{detail.get('method', '')} {path}".strip())
    if file := detail.get("file"):
        texts.append(str(file))
    if changed := detail.get("changed"):
        texts.append(change_text(str(changed)))
    if reason := detail.get("reason"):
        texts.append(str(reason))
    if keys := detail.get("data_manager_keys"):
        names = ", ".join(short(key) for key in keys[:NAMED])
        if (more := len(keys) - NAMED) > 0:
            names = gettext("%(names)s and %(count)d more") % {"names": names, "count": more}
        texts.append(gettext("to dataset %(keys)s") % {"keys": names})
    return ", ".join(texts)


class EventTable(AssetTable):
    """The events, newest first."""

    hidden_columns: tuple[str, ...] = ("asset_key",)
    tie_breaker = "-pk"
    name_columns = ("asset_name", "visible_actor")

    timestamp = WhenColumn(verbose_name=_("When"))
    action = tables.Column(verbose_name=_("What"))
    asset = tables.Column(
        accessor="asset_name",
        verbose_name=_("Asset"),
        empty_values=(),
        attrs={"td": {"class": "name"}},
    )
    asset_kind = tables.Column(verbose_name=_("Kind"))
    actor_name = tables.Column(accessor="visible_actor", verbose_name=_("By"))
    organization = LinkColumn(
        "organization", key="organization_id", accessor="organization_id", verbose_name=_("For")
    )
    asset_key = tables.Column(
        verbose_name=_("Key"), attrs={"td": {"class": "mono"}}, orderable=False
    )
    detail = tables.Column(verbose_name=_("Detail"), orderable=False)

    def render_action(self, record: Event) -> SafeString:
        failed = "failed" in str(record.detail.get("status", "")).lower()
        looks = "bad" if failed else LOOKS.get(record.action, "plain")
        return tag(record.get_action_display(), looks)

    def value_action(self, record: Event) -> str:
        return record.get_action_display()

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
    """The audit trail, with results and addresses."""

    hidden_columns = ("organization", "asset_key")

    timestamp = WhenColumn(verbose_name=_("When"), exact=True)
    result = tables.Column(verbose_name=_("Result"))
    address = tables.Column(verbose_name=_("Address"), attrs={"td": {"class": "mono"}})

    def render_result(self, record: Event) -> SafeString:
        looks = "bad" if record.result == Event.Result.REFUSED else "plain"
        return tag(record.get_result_display(), looks)

    def value_result(self, record: Event) -> str:
        return record.result

    class Meta(EventTable.Meta):
        pass
