"""Small pieces of HTML that pages and tables share.

Every row of a list has some of them, so they are built without `format_html`, which takes several
times as long as the rest of a row.
"""

import re
from functools import cache, lru_cache
from html import escape
from uuid import UUID

import heroicons
from django.template.defaultfilters import slugify
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext


@cache
def icon(name: str, *, size: int = 16, style: str = "mini") -> SafeString:
    """Return an icon, hidden from screen readers because the text beside it says the same."""
    svg = heroicons._render_icon(style, name, size, {"aria-hidden": "true"})
    return mark_safe(svg)  # noqa: S308  the package's own drawing


def tag(text: object, style: str = "") -> SafeString:
    """Return a word in a coloured box, such as a status.

    Args:
        text: the word, which may be translated.
        style: a style such as ``good``, or the API's value such as ``STATUS_DONE``; the word
            itself if blank.
    """
    return _tag(str(text), style)


@lru_cache(1000)
def _tag(text: str, style: str) -> SafeString:
    # Of values such as FUNCTION_STATUS_READY and ASSET_MODEL, the last part names the style.
    name = slugify(re.sub(r"^(\w*STATUS|ASSET)_", "", style or text))
    return mark_safe(f'<span class="tag tag-{name}">{escape(text)}</span>')  # noqa: S308  escaped


def copy_button(text: object, what: object) -> SafeString:
    """Return a button that copies the text; its label names `what` it copies."""
    return _copy_button(text, gettext("Copy %(what)s") % {"what": what})


def _copy_button(text: object, label: str) -> SafeString:
    return mark_safe(  # noqa: S308  escaped
        f'<button type="button" class="copy needs-scripts" data-copy="{escape(str(text))}" '
        f'aria-label="{escape(label)}">{icon("clipboard-document")}</button>'
    )


def short(key: object) -> str:
    """Return the first eight characters of a key, enough to distinguish rows."""
    return str(key)[:8]


def copy_key_label() -> str:
    """Return the label of a button that copies a key."""
    return gettext("Copy %(what)s") % {"what": gettext("the key")}


def key_with_copy(
    key: UUID | str, *, full: bool = False, url: str = "", copy_label: str = ""
) -> SafeString:
    """Return a key, or the start of one, with a link if there is a `url` and a copy button.

    Tables pass the button's label, so that it is translated once and not for each row.
    """
    shown = escape(str(key) if full else short(key))
    inside = f'<a href="{escape(url)}">{shown}</a>' if url else shown
    copy = _copy_button(key, copy_label or copy_key_label())
    title = escape(str(key))
    return mark_safe(f'<span class="key" title="{title}">{inside}{copy}</span>')  # noqa: S308
