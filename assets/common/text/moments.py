"""Dates and times on pages: rendered in UTC; `moments.js` shows them in the user's time zone."""

import re
from datetime import UTC, datetime, tzinfo
from html import escape
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.safestring import SafeString, mark_safe

# The query parameter with the time zone of its dates.
ZONE = "tz"
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}\Z")


def moment(when: datetime | None, otherwise: str = "", *, exact: bool = False) -> SafeString:
    """Return a date and time as a `<time>` element.

    The script shows a recent one as its age, with the date and time in the tooltip.

    Args:
        otherwise: the text if `when` is None.
        exact: show the date and time, and the age in the tooltip.
    """
    if when is None:
        return mark_safe(f'<span class="muted">{escape(otherwise)}</span>')  # noqa: S308  escaped
    text = utc(when)
    look = " data-exact" if exact else ""
    return mark_safe(  # noqa: S308  digits
        f'<time class="moment" datetime="{text[:10]}T{text[11:19]}Z"{look}>{text}</time>'
    )


def utc(when: datetime) -> str:
    """Return a date and time in UTC, to the second, as plain text."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def utc_day(when: datetime) -> str:
    """Return the date in UTC as plain text."""
    return f"{when.astimezone(UTC):%Y-%m-%d} UTC"


def zone_named(name: str | None) -> tzinfo:
    """Return the time zone with this name, or UTC if there is none."""
    if not name or len(name) > 64 or not _ZONE.match(name):
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder of zones
        return UTC


def in_utc(when: datetime) -> datetime | None:
    """Return a date and time in UTC, or None beyond the years 1 to 9999."""
    try:
        return when.astimezone(UTC)
    except OverflowError:
        return None


def within_time(when: datetime) -> datetime:
    """Return a date and time in UTC; beyond the years 1 to 9999, the nearest one within."""
    edge = datetime.min if when.year == 1 else datetime.max
    return in_utc(when) or edge.replace(tzinfo=UTC)
