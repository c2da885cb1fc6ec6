"""Registries in the admin: Django's read-only pages, and plain views that write by spec forms.

Django's own add and change pages save model forms. Here `registration` writes, so a page that
writes shows the same spec form as the dashboard, in the admin's templates, and Django's change
page shows a row and changes nothing.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _, gettext_lazy

from ..forms.fields import asset_label
from ..forms.layouts import FormsetLayout, Section
from ..forms.saving import NotSaved, save_or_explain
from .display import change_url
from .history import HistoryAdmin
from .lists import ListAdmin
from .pickers import set_widget

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class ReadOnlyInline(admin.TabularInline):
    """Rows that belong to the row of the page."""

    view_on_site = False
    extra = max_num = 0
    can_delete = False
    select_related: ClassVar[tuple[str, ...]] = ()

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related(*self.select_related)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    has_change_permission = has_delete_permission = has_add_permission


@dataclass(frozen=True)
class ChangePage:
    """A page that changes a row by a form; a button on the page of the row leads to it.

    Args:
        done: the message that confirms the change; names the row by ``%(row)s``.
        note: what the page says above the form.
        is_offered: does the page make sense for this row?
    """

    title: "StrOrPromise"
    form_class: type[forms.Form]
    done: "StrOrPromise"
    button: "StrOrPromise" = gettext_lazy("Save")
    note: "StrOrPromise" = ""
    is_offered: Callable[[Any], bool] = lambda row: True


class RegistryAdmin(ListAdmin, HistoryAdmin):
    """Shows rows to everyone who may enter the admin; a kind adds the forms that write."""

    # The form that registers a row, and what the page says above it.
    add_form: ClassVar[type[forms.Form] | None] = None
    add_note: ClassVar["StrOrPromise"] = ""
    # The pages that change a row, by the last part of their address.
    change_pages: ClassVar[Mapping[str, ChangePage]] = {}
    list_select_related: ClassVar[Any] = False
    empty_value_display = "-"
    list_per_page = 50
    show_full_result_count = False
    view_on_site = False

    # --- Permissions ----------------------------------------------------------------------------

    def has_module_permission(self, request: HttpRequest) -> bool:
        return True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: `change_pages` change rows, and Django's change page shows them."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def may_change(self, request: HttpRequest, row: Any) -> bool:
        """May the user change the row by the `change_pages`?"""
        return False

    def why_not(self, request: HttpRequest, row: Any = None) -> str:
        """Return why the user may not add a row, or change this one; blank without a reason."""
        return ""

    # --- Pages ----------------------------------------------------------------------------------

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        row: Any = super().get_object(request, object_id, from_field)
        if row is not None:
            # What the page shows of the row may depend on who reads it.
            row.viewer = request.user
        return row

    def get_urls(self) -> list[Any]:
        kind = self.opts.model_name
        pages = [
            path(
                f"<path:object_id>/{name}/",
                self.admin_site.admin_view(partial(self.change_page, page=page)),
                name=f"assets_{kind}_{name}",
            )
            for name, page in self.change_pages.items()
        ]
        return pages + super().get_urls()

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        context = {"why_not": self.why_not(request), **(extra_context or {})}
        return super().changelist_view(request, context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """Show the row, with buttons that lead to the pages that change it."""
        row = self.get_object(request, unquote(object_id))
        offered = [
            (reverse(f"admin:assets_{self.opts.model_name}_{name}", args=[row.pk]), page.title)
            for name, page in self.change_pages.items()
            if row and self.may_change(request, row) and page.is_offered(row)
        ]
        context = {"change_pages": offered, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if self.add_form is None or not self.has_add_permission(request):
            raise PermissionDenied(self.why_not(request))

        def done(result: Any) -> HttpResponse:
            row = self.added(request, form, result)
            link = format_html('<a href="{}">{}</a>', change_url(row), row)
            message = format_html(
                _("The {name} “{obj}” was added successfully."),
                name=self.opts.verbose_name,
                obj=link,
            )
            self.message_user(request, message, messages.SUCCESS)
            if "_addanother" in request.POST:
                return HttpResponseRedirect(request.path)
            if "_continue" in request.POST:
                return HttpResponseRedirect(change_url(row))
            return HttpResponseRedirect("../")

        form = self.make_form(request, self.add_form)
        title = _("Add %s") % self.opts.verbose_name
        return self.form_view(
            request, form, done, title=title, note=self.add_note, button=_("Save"), add=True
        )

    def added(self, request: HttpRequest, form: Any, result: Any) -> Model:
        """Return the row that the admin announces as added; add messages of the kind's own."""
        row: Model = result
        return row

    def change_page(self, request: HttpRequest, object_id: str, page: ChangePage) -> HttpResponse:
        """Change a row by the form of one of the `change_pages`."""
        row = self.get_object_or_404(request, object_id)
        if not self.may_change(request, row):
            raise PermissionDenied(self.why_not(request, row))

        def done(result: Any) -> HttpResponse:
            self.message_user(request, str(page.done) % {"row": row}, messages.SUCCESS)
            return HttpResponseRedirect(change_url(row))

        form = self.make_form(request, page.form_class, row)
        context = {"title": page.title, "subtitle": row, "note": page.note, "button": page.button}
        return self.form_view(request, form, done, original=row, **context)

    # --- Forms ----------------------------------------------------------------------------------

    def make_form(self, request: HttpRequest, form_class: Any, row: Any = None) -> Any:
        sent = (request.POST, request.FILES) if request.method == "POST" else ()
        form = form_class(*sent, actor=request.user, asset=row)
        for name in self.autocomplete_fields:
            if field := form.fields.get(name):
                many = isinstance(field, forms.ModelMultipleChoiceField)
                widget = AutocompleteSelectMultiple if many else AutocompleteSelect
                set_widget(field, widget(self.model._meta.get_field(name), self.admin_site))
        return form

    def form_view(
        self, request: HttpRequest, form: Any, done: Callable[[Any], HttpResponse], **context: Any
    ) -> HttpResponse:
        """Show the form; once it is sent and saved, answer with `done` of what it saved."""
        status = None
        if form.is_bound:
            try:
                result = save_or_explain(form)
            except NotSaved as error:
                status = error.status
            else:
                return done(result)
        formsets = getattr(form, "formsets", {}).values()
        values = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "has_view_permission": True,
            "form": form,
            "fieldsets": list(fieldsets_of(form)),
            "errors": list(errors_of(form)),
            "has_file_field": form.is_multipart(),
            "media": sum((one.media for one in formsets), self.media + ROWS_MEDIA + form.media),
            **context,
        }
        return TemplateResponse(request, "admin/assets/form.html", values, status=status)

    def autocomplete_label(self, obj: Any) -> str:
        """Return the name of the row where one picks it."""
        return asset_label(obj)


ROWS_MEDIA = forms.Media(
    js=["admin/js/vendor/jquery/jquery.min.js", "admin/js/jquery.init.js", "admin/js/inlines.js"]
)


def fieldsets_of(form: Any) -> Iterator[dict[str, Any]]:
    """Yield the sections of the form, each with its fields and its lists of rows."""
    for section in getattr(form, "sections", ()) or (Section("", *form.fields),):
        lists = [item for item in section.fields if isinstance(item, FormsetLayout)]
        yield {
            "section": section,
            "fields": [form[name] for name in section.fields if name not in lists],
            "lists": [(form.formsets[item.name], rows_options(form, item.name)) for item in lists],
        }


def rows_options(form: Any, name: str) -> str:
    """Return what the admin's script needs to add and remove rows, as JSON."""
    item = form.row_forms[name].item_label
    texts = {"addText": _("Add another %(item)s") % {"item": item}, "deleteText": _("Remove")}
    return json.dumps({"name": f"#{name}", "options": {"prefix": name, **texts}})


def errors_of(form: Any) -> Iterator[Any]:
    """Yield each field, row and list that has an error."""
    yield from form.errors
    for formset in getattr(form, "formsets", {}).values():
        yield from formset.non_form_errors()
        yield from filter(None, formset.errors)
