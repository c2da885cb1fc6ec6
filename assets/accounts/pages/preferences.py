"""What a user prefers: the columns of lists, and the language."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import NoReverseMatch, resolve, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import View

from ...common.ops.language import remember_language
from ...common.pages.lists import PAGE_SIZES, ListPage
from ..registration.users import save_preference
from .base import LoginRequiredMixin


class ChoicesView(LoginRequiredMixin, View):
    """Remembers which columns, and how many rows a page, the user wants of a list."""

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
        # Back to the list, never elsewhere: only what follows the question mark is the sender's.
        query = request.POST.get("next", "").removeprefix("?")
        return HttpResponseRedirect(reverse(name) + (f"?{query}" if query else ""))


class LanguageView(LoginRequiredMixin, View):
    """Saves the user's language, or that the browser chooses it, and goes back to the page."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponseBase:
        language = request.POST.get("language", "")
        if language not in dict(settings.LANGUAGES):
            language = ""
        save_preference(self.user, "language", language)
        wanted, host = request.POST.get("next", ""), request.get_host()
        is_here = url_has_allowed_host_and_scheme(wanted, {host}, request.is_secure())
        response = HttpResponseRedirect(wanted if is_here else reverse("account"))
        remember_language(response, language)
        return response


def get_list_page_or_404(name: str) -> type[ListPage]:
    """Return the page of a list, which is called as its URL is; raise Http404."""
    try:
        found: Any = resolve(reverse(name)).func
    except NoReverseMatch as error:
        raise Http404(f'There is no list called "{name}".') from error
    page = getattr(found, "view_class", None)
    if page is None or not issubclass(page, ListPage):
        raise Http404(f'There is no list called "{name}".')
    return page
