"""The history of a row in the admin: its events, and no log entries of Django's.

A log entry names its user to everyone who may see the row, and it covers the admin only.
"""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _


class HistoryAdmin(admin.ModelAdmin):
    """A kind whose changes are events, which registration writes."""

    def event_lookups(self, obj: Any) -> dict[str, str]:
        """Return the lookups that select the events about the row."""
        return {"asset_key": str(obj.pk)} if isinstance(obj.pk, UUID) else {}

    def get_object_or_404(self, request: HttpRequest, object_id: str) -> Any:
        """Return the row that an address names.

        Raises:
            Http404: there is no such row, or the user may not see it.
        """
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404(
                _('There is no %(kind)s with the key "%(key)s".')
                % {"kind": self.opts.verbose_name, "key": object_id}
            )
        return row

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponseRedirect:
        """Redirect to the events about the row, whichever interface they came through."""
        row = self.get_object_or_404(request, object_id)
        events = reverse("admin:assets_event_changelist", current_app=self.admin_site.name)
        return HttpResponseRedirect(f"{events}?{urlencode(self.event_lookups(row))}")

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Log nothing: registration writes an event."""
