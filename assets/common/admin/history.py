"""The history of a row in the admin: its events, and none of Django's log entries.

A log entry names who did what, which not everybody may know; and it knows the admin only.
"""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode


class HistoryAdmin(admin.ModelAdmin):
    """A kind whose changes are events, which registration writes."""

    def events_about(self, obj: Any) -> dict[str, str]:
        """Return the lookups that keep of all events those about the row."""
        return {"asset_key": str(obj.pk)} if isinstance(obj.pk, UUID) else {}

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponseRedirect:
        """Lead to the events about the row, whichever door they came through."""
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404(f'There is no {self.opts.verbose_name} "{object_id}".')
        events = reverse("admin:assets_event_changelist", current_app=self.admin_site.name)
        return HttpResponseRedirect(f"{events}?{urlencode(self.events_about(obj))}")

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Log nothing: registration wrote an event."""

    log_change = log_addition

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Log nothing: registration wrote an event."""
