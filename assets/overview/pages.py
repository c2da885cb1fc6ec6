"""Home and search."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.cache import patch_vary_headers

from ..accounts.models import Organization
from ..accounts.pages.base import LoginRequiredMixin
from ..accounts.rules import acts_for
from ..common.pages.base import Page
from ..feed.queries import recent_events
from ..permissions.access import may_register
from .home import concerns_of, counts_of, first_steps
from .search import clean, only_asset, search

# Of each kind.
ON_PAGE, AS_SUGGESTIONS = 8, 3


class HomePage(LoginRequiredMixin, Page):
    template_name = "overview/home.html"
    title = "Home"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        organizations = list(Organization.objects.all())
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
    """Finds by key and name; a script that asks while one types is answered in short."""

    template_name = "overview/search.html"
    title = "Search"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        term = clean(request.GET.get("q", ""))
        in_short = bool(request.headers.get("HX-Request"))
        found = search(term, AS_SUGGESTIONS if in_short else ON_PAGE)
        if not in_short and (url := only_asset(term, found)):
            return HttpResponseRedirect(url)
        if in_short:
            self.template_name = "overview/_suggestions.html"
        context = self.get_context_data(search_term=term, found=found)
        response = self.render_to_response(context)
        patch_vary_headers(response, ["HX-Request"])
        return response
