"""Small pieces of HTML that pages and tables share."""

from functools import cache
from uuid import UUID

import heroicons
from django.template.defaultfilters import slugify
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe


@cache
def icon(name: str, *, size: int = 16, style: str = "mini") -> SafeString:
    """Return an icon that says nothing which the text beside it does not."""
    svg = heroicons._render_icon(style, name, size, {"aria-hidden": "true"})
    return mark_safe(svg)  # noqa: S308  the package's own drawing


def tag(text: str, looks: str = "") -> SafeString:
    """Return a word in a box, such as a status; it looks as `looks` or as its own word says."""
    return format_html('<span class="tag tag-{}">{}</span>', looks or slugify(text), text)


def copy_button(text: object, what: str) -> SafeString:
    """Return a button that copies the text; `what` is what it is called."""
    return format_html(
        '<button type="button" class="copy needs-scripts" data-copy="{}" aria-label="Copy {}">'
        "{}</button>",
        text,
        what,
        icon("clipboard-document"),
    )


def short(key: object) -> str:
    """Return the beginning of a key: enough of it to tell rows apart."""
    return str(key)[:8]


def key_with_copy(key: UUID | str, *, full: bool = False, url: str = "") -> SafeString:
    """Return a key, or its beginning, which may lead somewhere, and the button that copies it."""
    shown = str(key) if full else short(key)
    return format_html(
        '<span class="key" title="{}">{}{}</span>',
        key,
        format_html('<a href="{}">{}</a>', url, shown) if url else shown,
        copy_button(key, "the key"),
    )
