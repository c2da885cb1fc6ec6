"""What a user prefers: the columns of lists, and the language."""

from typing import Any

from django.conf import settings
from django.contrib.auth.views import RedirectURLMixin
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import NoReverseMatch, resolve, reverse
from django.utils.translation import gettext as _
from django.views import View

from ...common.ops.language import remember_language
from ...common.pages.lists import PAGE_SIZES, ListPage
from ..registration.users import save_preference
from .base import LoginRequiredMixin


class ChoicesView(LoginRequiredMixin, View):
    """Saves which columns of a list, and how many rows a page, the user wants."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, name: str) -> HttpResponseBase:
        page = get_list_page_or_404(name)
        known = page.table_class.base_columns
        columns = [column for column in request.POST.getlist("columns") if column in known]
        per_page = request.POST.get("per_page", "")
        choices: dict[str, Any] = {"columns": columns} if columns else {}
        if per_page in map(str, PAGE_SIZES):
            choices["per_page"] = int(per_page)
        save_preference(self.user, f"list:{name}", choices)
        # Only the query is the client's: the redirect cannot leave the list.
        query = request.POST.get("next", "").removeprefix("?")
        return HttpResponseRedirect(reverse(name) + (f"?{query}" if query else ""))


class LanguageView(LoginRequiredMixin, RedirectURLMixin, View):
    """Saves the user's language, or that the browser chooses it, and goes back to the page."""

    http_method_names = ["post"]
    # Where `next` names no page of this server.
    next_page = "account"

    def post(self, request: HttpRequest) -> HttpResponseBase:
        language = request.POST.get("language", "")
        if language not in dict(settings.LANGUAGES):
            language = ""
        save_preference(self.user, "language", language)
        response = HttpResponseRedirect(self.get_success_url())
        remember_language(response, language)
        return response


def get_list_page_or_404(name: str) -> type[ListPage]:
    """Return the class of the list page whose URL has this name; raise Http404."""
    try:
        page = getattr(resolve(reverse(name)).func, "view_class", None)
    except NoReverseMatch:
        page = None
    if page is None or not issubclass(page, ListPage):
        raise Http404(_('There is no list named "%(name)s".') % {"name": name})
    return page
