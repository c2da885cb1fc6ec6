"""Base classes of the pages that list and register assets."""

import logging
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_lazy as _

from ..accounts.pages.base import LoginRequiredMixin, WriterPage
from ..common.db.pagination import Listing
from ..common.errors import Problem
from ..common.forms.formsets import MAX_ROWS
from ..common.forms.saving import NotSaved, save_or_explain
from ..common.pages.base import AssetKindMixin
from ..common.pages.lists import ListPage
from ..common.pages.snippets import Snippets
from ..common.parsing import as_key, as_keys
from .access import check_may_register, may_register
from .forms import share_organizations

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

logger = logging.getLogger(__name__)


# What a list without parameters shows; its statement is compiled once.
_listings: dict[type[ListPage], Listing] = {}


class AssetListPage(LoginRequiredMixin, ListPage):
    """Lists one kind of asset, with a button to register one."""

    template_name = "components/asset_list.html"
    # Models of filters by keys; the list of active filters shows the rows' names.
    filter_models: ClassVar[Mapping[str, type[Model]]] = {}

    def listing(self, rows: QuerySet) -> Listing:
        # Without parameters, the list is the same for everyone.
        if self.request.GET:
            return super().listing(rows)
        return _listings.setdefault(type(self), Listing(rows, is_kept=True))

    def display_value(self, name: str, value: str) -> str:
        if model := self.filter_models.get(name):
            found = model._default_manager.filter(pk__any=as_keys(value.split(",")))
            return ", ".join(sorted(str(row) for row in found)) or value
        return super().display_value(name, value)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(may_register=may_register(self.user), **kwargs)


class FormPage(WriterPage):
    """A page with the form of a spec.

    The button's `action` is `register` (the default), `add:inputs` for one more row of a list,
    `refresh` for a picker's search, or `code` for the spec as code. Entries and uploads stay.
    If a script names a field as `live`, the response is that field alone, validated.
    """

    template_name = "components/form.html"
    button: ClassVar["StrOrPromise"] = _("Register")
    # The sentence above the errors.
    unsaved = _("Nothing was registered.")
    # The form of this request.
    form: Any = None

    def make_form(self, *args: Any, **kwargs: Any) -> Any:
        form = self.form_class(*args, actor=self.user, asset=self.asset(), **kwargs)
        form.enable_live_validation()
        share_organizations(form.fields.values())
        self.form = form
        return form

    def snippets(self, form: Any) -> Snippets:
        """Return the code that registers the same, for other clients."""
        return []

    def success(self, result: Any) -> tuple[str, str]:
        """Return the message about the new asset, and the URL to go to."""
        raise NotImplementedError

    def why_not(self) -> Iterable[Problem]:
        """Return the problems that keep the user from registering at all."""
        return check_may_register(self.user)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return super().dispatch(request, *args, **kwargs)
        finally:
            if hasattr(self.form, "close_uploads"):
                self.form.close_uploads()

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.show(self.make_form(initial=self.initial()))

    def show(self, form: Any, status: int = 200, **context: Any) -> HttpResponse:
        values = {
            "form": form,
            "why_not": " ".join(problem.sentence for problem in self.why_not()),
            "has_snippets": type(self).snippets is not FormPage.snippets,
            **context,
        }
        return self.render_to_response(self.get_context_data(**values), status=status)

    @property
    def pressed(self) -> tuple[str, str]:
        """The button that sent the form: its action, and the name of a list."""
        action, _, of_what = self.request.POST.get("action", "register").partition(":")
        return action, of_what

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        action, of_what = self.pressed
        if action == "add":
            return self.with_row(of_what)
        if live := request.POST.get("live"):
            return self.answer_live(live)
        return self.act(self.make_form(request.POST, request.FILES), action, of_what)

    def act(self, form: Any, action: str, of_what: str) -> HttpResponse:
        """Do the button's action; return the response."""
        if action == "code":
            return self.show_code(form)
        if action == "refresh":
            return self.skip_validation(form)
        return self.register(form)

    def with_row(self, name: str) -> HttpResponse:
        """Return the form as typed, with one more row in a list."""
        data = self.request.POST.copy()
        total = f"{name}-TOTAL_FORMS"
        count = str(data.get(total, ""))
        if count.isdecimal() and len(count) < 10 and name in self.form_class.row_forms:
            data[total] = str(min(int(count) + 1, MAX_ROWS))
        return self.skip_validation(self.make_form(data, self.request.FILES))

    def skip_validation(self, form: Any, **context: Any) -> HttpResponse:
        self.keep(form)
        form.skip_validation()
        return self.show(form, **context)

    def show_code(self, form: Any) -> HttpResponse:
        form.is_valid()
        snippets = self.snippets(form)
        return self.skip_validation(form, snippets=snippets)

    def answer_live(self, name: str) -> HttpResponse:
        data = self.request.POST.copy()
        # Files were checked when they arrived; checking them again would take time.
        for staged in [key for key in data if key.endswith("-staged")]:
            del data[staged]
        form = self.make_form(data)
        if "picker" in self.request.POST:
            # A search validates nothing.
            form.skip_validation()
        else:
            form.is_valid()
        return self.show_field(form.get_field_by_html_name(name))

    def show_field(self, field: Any) -> HttpResponse:
        return render(self.request, "components/_field.html", {"field": field})

    def keep(self, form: Any) -> None:
        """Keep the form's valid files for the next request."""
        if hasattr(form, "stage_uploads"):
            form.is_valid()
            form.stage_uploads()

    def register(self, form: Any) -> HttpResponse:
        try:
            result = save_or_explain(form)
        except NotSaved as error:
            return self.show(form, status=error.status or 422)
        return self.done(form, result)

    def done(self, form: Any, result: Any) -> HttpResponse:
        message, url = self.success(result)
        return self.redirect_with_message(url, message)


class RegisterPage(AssetKindMixin, FormPage):
    """Registers one asset of a kind; `?like=KEY` copies the values of another one."""

    @cached_property
    def like(self) -> Any:
        """The asset whose values the form starts with, if any."""
        key = as_key(self.request.GET.get("like", ""))
        return self.queryset.filter(pk=key).first() if key else None

    def get_title(self) -> str:
        return super().get_title() or str(self.register_label)

    def success(self, result: Any) -> tuple[str, str]:
        message = format_html(gettext("Registered <strong>{}</strong>."), result)
        return message, reverse(self.detail_url, args=[result.pk])
