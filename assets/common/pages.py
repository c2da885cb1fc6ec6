"""What every page has: a title, the way that leads to it, and who is asked for."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.http import Http404
from django.urls import reverse
from django.views.generic import TemplateView

from .parsing import as_key


class Crumb(NamedTuple):
    """One step of the way that leads to a page."""

    text: str
    url: str


def crumb(text: str, url_name: str, *args: Any) -> Crumb:
    return Crumb(text, reverse(url_name, args=args))


class Page(TemplateView):
    """A page with a title, below the pages that `crumbs` names."""

    title = ""

    def get_title(self) -> str:
        return self.title

    def crumbs(self) -> Sequence[Crumb]:
        """Return the pages above this one, the topmost first."""
        return ()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = {"title": self.get_title(), "breadcrumbs": self.crumbs(), **kwargs}
        return super().get_context_data(**context)


def get_or_404(queryset: QuerySet, key: Any, noun: str) -> Any:
    """Return the row with this key; a 404 that says what is not there otherwise."""
    found = as_key(str(key))
    row = queryset.filter(pk=found).first() if found else None
    if row is None:
        raise Http404(
            f'There is no {noun} with the key "{key}". It may have been mistyped: '
            "search for it by its name."
        )
    return row
