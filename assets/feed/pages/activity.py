"""The pages of activity and of the audit trail."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.utils.translation import gettext, gettext_lazy as _

from ...accounts.pages.base import LoginRequiredMixin, ObjectPageMixin
from ...common.pages.lists import ListPage
from ...permissions.access import may_audit
from ..filters import ActivityFilterSet, AuditFilterSet
from ..models import Event
from ..queries import events_for, public_events, with_visible_actor
from ..tables import AuditTable, EventTable

# Filters that the page offers as buttons: label and value.
PRESETS = ((_("All"), ""), (_("News"), "all"), (_("Plans that ended"), "important"))


class ActivityList(LoginRequiredMixin, ListPage):
    title = _("Activity")
    queryset = public_events()
    noun, noun_plural = _("event"), _("events")
    empty_title = _("No events yet")
    list_url = "activity"
    template_name = "feed/activity.html"
    table_class = EventTable
    filterset_class = ActivityFilterSet
    empty_hint = _("Registrations, renames, starts, ends and cancellations are listed here.")

    def rows(self) -> QuerySet[Event]:
        return with_visible_actor(super().rows(), self.user)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        chosen = self.request.GET.get("news", "")
        presets = [(name, value, value == chosen) for name, value in PRESETS]
        return super().get_context_data(presets=presets, **kwargs)


class AuditList(ObjectPageMixin, ListPage):
    title = _("Audit trail")
    queryset = Event.objects.all()
    noun, noun_plural = _("event"), _("events")
    empty_title = _("No events yet")
    list_url = "audit"
    table_class = AuditTable
    filterset_class = AuditFilterSet
    empty_hint = _("Registrations, downloads, changes and denied requests are listed here.")

    def load_object(self) -> None:
        if not may_audit(self.user):
            raise PermissionDenied(
                gettext(
                    "Only admins of an organisation can read its audit trail. The Activity page "
                    "lists the events of assets for everyone."
                )
            )

    def rows(self) -> QuerySet[Event]:
        return events_for(self.user)
