"""The page of activity: the news feed, and the audit trail."""

from typing import Any

from ..common.lists import ListPage
from ..organizations.pages import SignedIn
from .filters import ActivityFilterSet
from .models import Event
from .tables import EventTable

# What the page offers to begin from: its name, and the filter.
PRESETS = (
    ("Everything", ""),
    ("News", "all"),
    ("Plans that ended", "important"),
)


class ActivityList(SignedIn, ListPage):
    queryset = Event.objects.filter(public=True)
    noun, noun_plural = "event", "events"
    list_url = "activity"
    template_name = "feed/activity.html"
    table_class = EventTable
    filterset_class = ActivityFilterSet
    empty_hint = "What is registered, renamed, started or cancelled is listed here."

    def get_title(self) -> str:
        return "Activity"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        chosen = self.request.GET.get("news", "")
        presets = [(name, value, value == chosen) for name, value in PRESETS]
        return super().get_context_data(presets=presets, **kwargs)
