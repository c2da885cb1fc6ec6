"""Moments on pages. The server writes them in UTC; `moments.js` shows them in the viewer's zone."""

import re
from datetime import UTC, datetime, tzinfo
from html import escape
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.safestring import SafeString, mark_safe

# The parameter of an address that names the zone of its days.
ZONE = "tz"
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}\Z")


def moment(when: datetime | None, otherwise: str = "", *, exact: bool = False) -> SafeString:
    """Return a moment as the element `<time>`: the only way in which a page shows one.

    With its script, a page shows how long ago a recent moment is, and the moment itself in the
    tooltip; with `exact`, it is the other way round.

    Args:
        otherwise: What to show for a moment that has not come.
    """
    if when is None:
        return mark_safe(f'<span class="muted">{escape(otherwise)}</span>')  # noqa: S308  escaped
    text = utc(when)
    look = " data-exact" if exact else ""
    return mark_safe(  # noqa: S308  digits
        f'<time class="moment" datetime="{text[:10]}T{text[11:19]}Z"{look}>{text}</time>'
    )


def utc(when: datetime) -> str:
    """Return a moment in UTC, to the second, for texts that are no HTML."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def utc_day(when: datetime) -> str:
    """Return the day of a moment in UTC, for texts that are no HTML."""
    return f"{when.astimezone(UTC):%Y-%m-%d} UTC"


def zone_called(name: str | None) -> tzinfo:
    """Return the time zone of this name; UTC when there is none."""
    if not name or len(name) > 64 or not _ZONE.match(name):
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of zones has a name, too
        return UTC


def in_utc(when: datetime) -> datetime | None:
    """Return a moment in UTC; None where its zone leads out of the years 1 to 9999."""
    try:
        return when.astimezone(UTC)
    except OverflowError:
        return None


def within_time(when: datetime) -> datetime:
    """Return a moment in UTC; the first or last one there is, where its zone leads beyond them."""
    edge = datetime.min if when.year == 1 else datetime.max
    return in_utc(when) or edge.replace(tzinfo=UTC)
