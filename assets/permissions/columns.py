"""The column of a table that shows permissions."""

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from ..common.pages.markup import tag
from .models import Permissions

NAMED = 3


class PermissionsColumn(tables.Column):
    """Shows "public", or the permitted organisations, of which it names three at most."""

    def render(self, value: Permissions) -> SafeString:
        return permissions_tag(value)

    def value(self, value: Permissions) -> str:
        return "public" if value.public else " ".join(value.authorized_ids)

    def __init__(self, **kwargs):
        super().__init__(**{"orderable": False, **kwargs})


def permissions_tag(permissions: Permissions) -> SafeString:
    """Return who is permitted, as HTML: everyone, or these organisations."""
    if permissions.public:
        return tag(gettext("public"))
    ids = permissions.authorized_ids
    names = ", ".join(ids)
    shown = names
    if (more := len(ids) - NAMED) > 1:
        shown = gettext("%(names)s and %(count)d more") % {
            "names": ", ".join(ids[:NAMED]),
            "count": more,
        }
    return format_html('{} <span title="{}">{}</span>', tag(gettext("restricted")), names, shown)
