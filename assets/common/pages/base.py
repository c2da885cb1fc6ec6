"""The base of every page: its title, its breadcrumbs, and the kind of row it is about."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple
from urllib.parse import quote

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponseRedirect
from django.urls import get_script_prefix, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.views.generic import TemplateView

from ..db.compiled import Instances
from ..parsing import as_key
from ..urls import PAGES

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class Crumb(NamedTuple):
    """One page above the current one."""

    text: str
    url: str


def crumb(text: str, url_name: str, *args: Any) -> Crumb:
    return Crumb(text, reverse(url_name, args=args))


class Page(TemplateView):
    """A page with a title, below the pages that `crumbs` names."""

    # May refer to the object as `%(name)s`.
    title: "StrOrPromise" = ""
    # What the page is about, if it is about one thing.
    object: Any = None

    def get_title(self) -> str:
        return str(self.title) % {"name": self.object}

    def crumbs(self) -> Sequence[Crumb]:
        """Return the pages above this one, the top one first."""
        return ()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = {"title": self.get_title(), "breadcrumbs": self.crumbs(), **kwargs}
        return super().get_context_data(**context)

    def redirect_with_message(self, url: str, message: str) -> HttpResponseRedirect:
        """Redirect to a page that confirms by this message what was done."""
        messages.success(self.request, message)
        return HttpResponseRedirect(url)


class AssetKindMixin:
    """Mixin of the pages about one kind of row: its rows, its labels and the names of its URLs."""

    queryset: ClassVar[QuerySet]
    noun: ClassVar["StrOrPromise"]
    noun_plural: ClassVar["StrOrPromise"]
    # The heading of a list that has no rows, and of the page that registers one.
    empty_title: ClassVar["StrOrPromise"]
    register_label: ClassVar["StrOrPromise"] = ""
    list_url: ClassVar[str]
    detail_url: ClassVar[str]
    # Whether the page of imports takes this kind.
    can_import: ClassVar[bool] = False
    # Blank for kinds without such a page.
    register_url: ClassVar[str] = ""
    rename_url: ClassVar[str] = ""

    def crumbs(self) -> Sequence[Crumb]:
        """Return the pages above this one: by default, the list of its kind."""
        return [self.list_crumb()]

    def list_crumb(self) -> Crumb:
        return crumb(capfirst(str(self.noun_plural)), self.list_url)


def url_of(url_name: str, key: Any) -> str:
    """Return the URL of a page that takes one argument, a key or an ID.

    Tables have many such links, and `reverse` takes too long for each.
    """
    before, after = _around(url_name, get_script_prefix())
    return f"{before}{quote(str(key), safe=_SAFE)}{after}"


# Characters that Django does not escape in a path.
_SAFE = "/~:@!$&'()*+,;="
# Stands for the key or ID.
_ANY = "0"


@cache
def _around(url_name: str, prefix: str) -> tuple[str, str]:
    """Return the URL before and after the key; `prefix` is the script prefix."""
    before, _, after = reverse(url_name, args=[_ANY]).rpartition(_ANY)
    return before, after


def asset_url(event: Any) -> str:
    """Return the URL of the asset of an event; blank for kinds without a page."""
    pages = PAGES.get(event.asset_kind)
    if pages is None or not pages.detail or event.asset_key is None:
        return ""
    return url_of(pages.detail, event.asset_key)


def get_or_404(rows: Instances, key: Any, noun: "StrOrPromise") -> Any:
    """Return the row with this key; `rows` returns those of some keys.

    Raises:
        Http404: there is none.
    """
    valid = as_key(str(key))
    for row in rows([valid]) if valid else ():
        return row
    raise Http404(
        gettext('No %(noun)s has the key "%(key)s". Check the key, or search by name.')
        % {"noun": noun, "key": key}
    )
