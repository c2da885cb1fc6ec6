"""Template tags and filters."""

from functools import lru_cache

from django import template
from django.conf import settings
from django.urls import get_script_prefix, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ..common.files import hidden
from ..common.pages import base, markdown, markup
from ..common.text import moments, reading
from ..feed.tables import how_ended
from ..permissions.access import may_audit
from ..permissions.columns import permissions_tag

register = template.Library()

register.simple_tag(hidden.hidden_names, name="hidden_names")
register.simple_tag(markup.icon, name="icon")
register.simple_tag(markup.tag, name="tag")
register.simple_tag(markup.copy_button, name="copy_button")
register.simple_tag(markup.key_with_copy, name="key_with_copy")
register.simple_tag(moments.moment, name="moment")
register.simple_tag(permissions_tag, name="permissions_tag")
register.filter("short", markup.short)
register.filter("markdown", markdown.markdown)
register.filter("highlight", reading.highlight)
register.filter("fits", reading.fits)
register.filter("asset_url", base.asset_url)
register.filter("how_ended", how_ended)
register.filter("may_audit", may_audit)

# The URL names of the pages below each entry of the navigation start with these.
_BELOW = {
    "datasets": ("dataset",),
    "data-samples": ("data-sample",),
    "functions": ("function", "trial"),
    "compute-plans": ("compute-plan",),
    "tasks": ("task", "model"),
    "organizations": ("organization",),
    "users": ("user",),
    "runners": ("runner",),
    "activity": ("activity", "event"),
}
# Pages below those of an asset that belong to another entry.
_APPROVALS = {
    f"{asset}-{page}" for asset in ("compute-plan", "function") for page in ("approval", "decline")
}


@register.simple_tag
def version() -> str:
    """Return Registrar's version, such as `0.2.0`."""
    return settings.VERSION


@register.simple_tag(takes_context=True)
def nav_link(
    context: template.Context, url_name: str, label: str, icon: str, count: int = 0
) -> SafeString:
    """Return an entry of the navigation, marked if its page or one below it is current.

    Args:
        count: how much there waits for the user; 0 is not shown.
    """
    match = getattr(context.get("request"), "resolver_match", None)
    here = (match.url_name or "") if match else ""
    names = (url_name, *_BELOW.get(url_name, ()))
    below = here == url_name or any(
        here == name or here.startswith(f"{name}-") for name in names if name != "home"
    )
    if here in _APPROVALS:
        below = url_name == "approvals"
    current = ("page" if here == url_name else "true") if below else ""
    return _entry(url_name, get_script_prefix(), str(label), icon, current, count)


# Every page has the navigation twice; entries differ by language and by which one is current.
@lru_cache(200)
def _entry(
    url_name: str, prefix: str, label: str, icon: str, current: str, count: int
) -> SafeString:
    """Return an entry of the navigation; `prefix` is the script prefix that its URL depends on."""
    return format_html(
        '<a href="{}"{}>{}{}{}</a>',
        reverse(url_name),
        format_html(' aria-current="{}"', current) if current else "",
        markup.icon(icon, size=18, style="outline"),
        label,
        format_html(' <span class="tag tag-accent">{}</span>', f"{count:,}") if count else "",
    )
