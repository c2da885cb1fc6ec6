"""The column of a table that says who may."""

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ..common.pages.markup import tag
from .models import Permissions

NAMED = 3


class PermissionsColumn(tables.Column):
    """Public, or the organisations that may; the first few of them where they are many."""

    def render(self, value: Permissions) -> SafeString:
        return permissions_tag(value)

    def value(self, value: Permissions) -> str:
        return "public" if value.public else " ".join(value.authorized_ids)

    def __init__(self, **kwargs):
        super().__init__(**{"orderable": False, **kwargs})


def permissions_tag(permissions: Permissions) -> SafeString:
    """Show who may: everybody, or these organisations."""
    if permissions.public:
        return tag("public")
    ids = permissions.authorized_ids
    more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED + 1 else ""
    names = ", ".join(ids[:NAMED] if more else ids)
    return format_html(
        '{} <span title="{}">{}{}</span>', tag("private"), ", ".join(ids), names, more
    )
