"""Small pieces of HTML that pages and tables share.

What a list shows in every row is put together here by hand: `format_html` takes several times as
long as all the rest of a row.
"""

from functools import cache
from html import escape
from uuid import UUID

import heroicons
from django.template.defaultfilters import slugify
from django.utils.safestring import SafeString, mark_safe


@cache
def icon(name: str, *, size: int = 16, style: str = "mini") -> SafeString:
    """Return an icon that says nothing which the text beside it does not."""
    svg = heroicons._render_icon(style, name, size, {"aria-hidden": "true"})
    return mark_safe(svg)  # noqa: S308  the package's own drawing


def tag(text: str, looks: str = "") -> SafeString:
    """Return a word in a box, such as a status; it looks as `looks` or as its own word says."""
    return mark_safe(  # noqa: S308  escaped
        f'<span class="tag tag-{looks or slugify(text)}">{escape(str(text))}</span>'
    )


def copy_button(text: object, what: str) -> SafeString:
    """Return a button that copies the text; `what` is what it is called."""
    return mark_safe(  # noqa: S308  escaped
        f'<button type="button" class="copy needs-scripts" data-copy="{escape(str(text))}" '
        f'aria-label="Copy {escape(what)}">{icon("clipboard-document")}</button>'
    )


def short(key: object) -> str:
    """Return the beginning of a key: enough of it to tell rows apart."""
    return str(key)[:8]


def key_with_copy(key: UUID | str, *, full: bool = False, url: str = "") -> SafeString:
    """Return a key, or its beginning, which may lead somewhere, and the button that copies it."""
    shown = escape(str(key) if full else short(key))
    inside = f'<a href="{escape(url)}">{shown}</a>' if url else shown
    copy = copy_button(key, "the key")
    title = escape(str(key))
    return mark_safe(f'<span class="key" title="{title}">{inside}{copy}</span>')  # noqa: S308
