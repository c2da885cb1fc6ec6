"""Home and search."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext_lazy as _

from ..accounts.pages.base import LoginRequiredMixin
from ..accounts.queries import all_organizations
from ..accounts.rules import acts_for
from ..common.pages.base import Page
from ..feed.queries import recent_events
from ..permissions.access import may_register
from .home import concerns_of, counts_of, first_steps
from .search import clean, only_asset, search

# How many results of each kind the page shows, and the suggestions while one types.
PAGE_RESULTS, SUGGESTIONS = 8, 3


class HomePage(LoginRequiredMixin, Page):
    template_name = "overview/home.html"
    title = _("Home")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        organizations = all_organizations()
        counts = counts_of(organizations)
        own = next((row for row in organizations if acts_for(self.user, row.pk)), None)
        return super().get_context_data(
            organization=own,
            may_register=may_register(self.user),
            counts=counts,
            concerns=concerns_of(self.user),
            steps=first_steps(self.user, counts),
            events=recent_events(self.user),
            **kwargs,
        )


class SearchPage(LoginRequiredMixin, Page):
    """Results by key and name; a request by htmx, while one types, gets suggestions only."""

    template_name = "overview/search.html"
    title = _("Search")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        term = clean(request.GET.get("q", ""))
        is_suggesting = bool(request.headers.get("HX-Request"))
        groups = search(term, SUGGESTIONS if is_suggesting else PAGE_RESULTS)
        if is_suggesting:
            self.template_name = "overview/_suggestions.html"
        elif url := only_asset(term, groups):
            return HttpResponseRedirect(url)
        response = self.render_to_response(self.get_context_data(search_term=term, groups=groups))
        patch_vary_headers(response, ["HX-Request"])
        return response
