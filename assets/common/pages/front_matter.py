"""The front matter of dataset cards: YAML between two lines of dashes, shown as a table.

YAML may refer to itself, so nothing is expanded: everything but plain values is shown as its
source, and no fact is longer than the text it comes from.
"""

import re
from collections.abc import Iterator
from textwrap import dedent
from typing import Any

import yaml
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _, ngettext

# The parser is slow, above all with nested brackets.
MAX_LENGTH, MAX_BRACKETS = 20_000, 500
# Cards of public hubs have hundreds of such lines before the description.
MAX_LINES = 8
# The parser of libyaml, if installed, takes a tenth of the time and yields the same events.
_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_FRONT_MATTER = re.compile(r"---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*$\n?", re.DOTALL | re.MULTILINE)


def split(text: str) -> tuple[str, str]:
    """Return the front matter of a text, blank if it has none, and the rest."""
    found = _FRONT_MATTER.match(text)
    return (found[1], text[found.end() :]) if found else ("", text)


def as_table(front_matter: str) -> SafeString:
    """Return front matter as an HTML table, or its source if it cannot be read."""
    if not front_matter.strip():
        return mark_safe("")
    if (facts := _facts(front_matter)) is None:
        shown = format_html('<pre class="code" tabindex="0">{}</pre>', front_matter)
        return _folded(shown, front_matter)
    rows = format_html_join("", '<tr><th scope="row">{}</th><td>{}</td></tr>', facts)
    return format_html(
        '<div class="table-wrap" tabindex="0" role="group" aria-label="{}">'
        '<table class="facts-table"><tbody>{}</tbody></table></div>',
        _("Facts"),
        rows,
    )


def _facts(text: str) -> list[tuple[str, str]] | None:
    """Return the key and the value of each fact; None if it cannot be read."""
    if len(text) > MAX_LENGTH or len(re.findall(r"[\[{]", text)) > MAX_BRACKETS:
        return None
    try:
        _, _, *events = yaml.parse(text, Loader=_LOADER)
    except (yaml.YAMLError, RecursionError, ValueError):
        return None
    documents = [event for event in events if isinstance(event, yaml.DocumentEndEvent)]
    if not isinstance(events[0], yaml.MappingStartEvent) or len(documents) > 1:
        return None
    shown = [_shown(group, text) for group in _groups(events[1:])]
    return list(zip(shown[::2], shown[1::2], strict=True))


def _groups(events: list[Any]) -> Iterator[list[Any]]:
    """Yield the events of each key and each value of a mapping, after its first event."""
    depth, group = 0, []
    for event in events:
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth < 0:
            return
        group.append(event)
        if not depth:
            yield group
            group = []


def _shown(group: list[Any], text: str) -> str:
    first, last = group[0], group[-1]
    if first is last:
        return _plain(first)
    inside = group[1:-1]
    if isinstance(first, yaml.SequenceStartEvent) and all(map(_is_plain, inside)):
        return ", ".join(map(_plain, inside))
    start, end = first.start_mark, last.end_mark
    written = dedent(" " * start.column + text[start.index : end.index]).strip()
    return _folded(format_html("<pre>{}</pre>", written), written)


def _folded(shown: SafeString, text: str) -> SafeString:
    """Return the HTML of a text, folded if it would push the description off the screen."""
    lines = len(text.splitlines())
    if lines <= MAX_LINES:
        return shown
    summary = ngettext("%(count)d line", "%(count)d lines", lines) % {"count": lines}
    return format_html("<details><summary>{}</summary>{}</details>", summary, shown)


def _is_plain(event: Any) -> bool:
    return isinstance(event, yaml.ScalarEvent | yaml.AliasEvent)


def _plain(event: Any) -> str:
    # An alias is shown as one, never expanded.
    return f"*{event.anchor}" if isinstance(event, yaml.AliasEvent) else str(event.value)
