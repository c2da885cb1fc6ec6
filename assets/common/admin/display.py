"""How the admin shows a row: fieldsets, columns, badges and the address of its page."""

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


def section(heading: "StrOrPromise | None", *fields: str) -> Any:
    """Return a fieldset of a page that shows a row."""
    return heading, {"fields": fields}


def column(
    description: "StrOrPromise",
    path: str,
    *,
    ordering: str = "",
    show: Callable[[Any], Any] = lambda value: value,
) -> Callable[[Any, Any], Any]:
    """Return a display method that shows what the dotted path of a row leads to."""

    @admin.display(description=description, ordering=ordering or None)
    def display(self: Any, row: Any) -> Any:
        return show(attrgetter(path)(row))

    return display


def change_url(row: Model) -> str:
    """Return the address of the row's page in the admin."""
    return reverse(f"admin:assets_{row._meta.model_name}_change", args=[row.pk])


def badge(text: "StrOrPromise", css_class: str = "") -> SafeString:
    """Return a short word in a box, such as a status."""
    return format_html('<span class="registrar-badge {}">{}</span>', css_class, text)
