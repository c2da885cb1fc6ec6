"""Descriptions as safe HTML: Markdown as on GitHub and in dataset cards.

HTML tags for layout work, and other tags are shown as text. The result is sanitised at the end, and
nothing is added to it after that.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from html import escape
from typing import Any

import nh3
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin

from ..text.reading import MAX_CACHED_TEXTS, MAX_HIGHLIGHTED, MAX_SHOWN
from .front_matter import as_table, split

# The prefix of ids in a text, so that none is an id of the page.
PREFIX = "prose-"
_OF_MARKDOWN = {
    *("h1", "h2", "h3", "h4", "h5", "h6", "p", "br", "hr", "blockquote", "pre", "code", "em"),
    *("strong", "s", "ul", "ol", "li", "a", "table", "thead", "tbody", "tr", "th", "td"),
    *("div", "section", "sup"),
}
_OF_AUTHORS = {
    *("b", "i", "u", "del", "ins", "mark", "small", "sub", "kbd", "samp", "var", "q", "span"),
    *("abbr", "details", "summary", "dl", "dt", "dd", "caption", "tfoot", "figure", "figcaption"),
}
_TAGS = _OF_MARKDOWN | _OF_AUTHORS
# Tags of appearance only: dropped, but their contents are shown.
_LEFT_OUT = {"center", "font", "big", "tt", "picture", "source", "wbr"}
_KINDS = ("note", "tip", "important", "warning", "caution")
_CLASSES = {
    "div": {"table-wrap", "markdown-alert", *(f"markdown-alert-{kind}" for kind in _KINDS)},
    "p": {"markdown-alert-title"},
    "li": {"task-list-item"},
    "section": {"footnotes"},
    "td": {"text-center", "text-end"},
    "th": {"text-center", "text-end"},
}
_ATTRIBUTES = {
    "*": {"id"},
    "a": {"href"},
    "ol": {"start"},
    "details": {"open"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}
# A wide table scrolls in an element of its own.
_WRAP = {"tabindex": {"0"}, "role": {"group"}}

_KNOWN = "|".join(sorted(_TAGS | _LEFT_OUT | {"img"}, key=len, reverse=True))
# A known tag, or a character that would start or end another one.
_HTML = re.compile(rf"<(/?)({_KNOWN})((?:\s[^<>]*)?/?)>|[<>]", re.IGNORECASE)
_BEGINS = re.compile(rf"<(!--|/?({_KNOWN})(?=[\s/>]))", re.IGNORECASE)
_ALT = re.compile(r"""\salt\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_NAME = re.compile(r"(?<=\s)name(?=\s*=)", re.IGNORECASE)
# A footnote is several times as long in HTML, and an endless name takes long to parse.
MAX_FOOTNOTES, _ENDLESS = 500, re.compile(r"\[\^\S{500}")


def markdown(text: str) -> SafeString:
    """Return Markdown as HTML without scripts, styles, images or other active content.

    Headings start at the third level, below those of the page and its panel.
    """
    return _markdown(text, get_language())


@lru_cache(MAX_CACHED_TEXTS)
def _markdown(text: str, language: str | None) -> SafeString:
    """Return the HTML of a text; some labels in it depend on the language."""
    front_matter, body = split(text.replace("\r\n", "\n"))
    return format_html("{}{}", as_table(front_matter), _body(body))


def _body(text: str) -> SafeString:
    if len(text) > MAX_HIGHLIGHTED:
        return format_html('<pre class="code" tabindex="0">{}</pre>', text[:MAX_SHOWN])
    plain = text.count("[^") > MAX_FOOTNOTES or _ENDLESS.search(text)
    parser = _without_footnotes if plain else _with_footnotes
    env: dict[str, Any] = {}
    tokens = parser.parse(text, env)
    ids = _prepare(tokens)
    html = nh3.clean(
        parser.renderer.render(tokens, parser.options, env),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        tag_attribute_values={"div": {**_WRAP, "aria-label": {gettext("Table")}}},
        allowed_classes=_CLASSES,
        attribute_filter=_links_to(ids),
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
        id_prefix=PREFIX,
    )
    return mark_safe(html)  # noqa: S308  what is left of it was allowed above


def _links_to(ids: set[str]) -> Callable[[str, str, str], str | None]:
    """Return a filter of attributes that allows links to these ids and to other servers."""

    def allowed(tag: str, name: str, value: str) -> str | None:
        if name != "href":
            return value
        if value.startswith("#"):
            target = value[1:]
            lower = target.lower()
            return f"#{PREFIX}{lower if target not in ids and lower in ids else target}"
        # Relative links lead to files that are not on this server.
        return value if ":" in value.split("/")[0] else None

    return allowed


# --- Tokens --------------------------------------------------------------------------------------


def _prepare(tokens: Sequence[Token]) -> set[str]:
    """Set the levels and ids of headings and the sides of columns, and return the ids."""
    taken: Counter[str] = Counter()
    for token, inside in zip(tokens, [*tokens[1:], None], strict=False):
        if token.type in ("heading_open", "heading_close"):
            token.tag = _lower(token.tag)
        if token.type == "heading_open" and inside:
            slug = _slug(inside)
            token.attrSet("id", f"{slug}-{taken[slug]}" if taken[slug] else slug)
            taken[slug] += 1
        if token.type in ("th_open", "td_open"):
            side = str(token.attrs.pop("style", "")).removeprefix("text-align:")
            if side in ("center", "right"):
                token.attrSet("class", "text-center" if side == "center" else "text-end")
    return {str(token.attrs["id"]) for token in tokens if token.type == "heading_open"}


def _lower(tag: str) -> str:
    return f"h{min(6, int(tag[1:]) + 2)}"


def _slug(heading: Token) -> str:
    """Return the id of a heading, as on GitHub."""
    parts = [
        child.content
        for child in heading.children or ()
        if child.type in ("text", "code_inline", "image")
    ]
    return re.sub(r"[^\w\- ]", "", "".join(parts).strip().lower()).replace(" ", "-") or "section"


# --- HTML in Markdown ----------------------------------------------------------------------------


def _only_known(rule: Any, *, starts: Callable[..., int]) -> Any:
    """Return a rule that parses known tags as HTML; the rest stays Markdown."""

    def known(state: Any, *args: Any) -> bool:
        start = starts(state, *args)
        return bool(_BEGINS.match(state.src, start)) and rule(state, *args)

    return known


def _html(tokens: Sequence[Token], index: int, *_: Any) -> str:
    """Return an author's HTML with known tags, and the rest as text."""
    return _HTML.sub(_one, _without_comments(tokens[index].content))


def _without_comments(html: str) -> str:
    pieces, place = [], 0
    while (start := html.find("<!--", place)) >= 0 and (end := html.find("-->", start + 4)) >= 0:
        pieces.append(html[place:start])
        place = end + 3
    return "".join([*pieces, html[place:]])


def _one(found: re.Match[str]) -> str:
    if found[2] is None:
        return escape(found[0])
    slash, tag, rest = found[1], found[2].lower(), found[3]
    if tag == "img":
        alt = _ALT.search(rest)
        return _image_text(next(filter(None, alt.groups()), "") if alt else "")
    if re.fullmatch("h[1-6]", tag):
        tag = _lower(tag)
    if tag == "table":
        return "</table></div>" if slash else _table_start()
    if tag == "a":
        rest = _NAME.sub("id", rest)
    return f"<{slash}{tag}{rest}>"


def _image_text(alt: str) -> str:
    """Return the text in place of an image; `alt` may have entities."""
    return gettext("[Image: %(alt)s]") % {"alt": alt} if alt.strip() else ""


# --- Rendering -----------------------------------------------------------------------------------


def _table_start() -> str:
    label = escape(gettext("Table"))
    return f'<div class="table-wrap" tabindex="0" role="group" aria-label="{label}"><table>'


def _image(tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    children = tokens[index].children or ()
    words = "".join(" " if child.tag == "br" else child.content for child in children)
    return _image_text(escape(words))


def _list_item(tokens: Sequence[Token], index: int, *_: Any) -> str:
    item = tokens[index]
    if "checked" not in item.meta:
        return "<li>"
    return f'<li class="task-list-item">{"☑" if item.meta["checked"] else "☐"} '


def _parser(*, footnotes: bool) -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True, "tasklists": True, "alerts": True})
    parser.enable(["table", "strikethrough"])
    for ruler, name, starts in (
        (parser.block.ruler, "html_block", lambda state, line, *_: _start_of(state, line)),
        (parser.inline.ruler, "html_inline", lambda state, *_: state.pos),
    ):
        place = ruler.__find__(name)
        rule = ruler.__rules__[place]
        ruler.at(name, _only_known(rule.fn, starts=starts), {"alt": rule.alt})
    if footnotes:
        footnote_plugin(parser, inline=False)
    renderer: Any = parser.renderer
    renderer.rules |= {
        "html_block": _html,
        "html_inline": _html,
        "image": _image,
        "list_item_open": _list_item,
        "table_open": lambda *_: _table_start(),
        "table_close": lambda *_: "</table></div>",
        "footnote_block_open": lambda *_: '<section class="footnotes"><ol>',
    }
    return parser


def _start_of(state: Any, line: int) -> int:
    return state.bMarks[line] + state.tShift[line]


_with_footnotes, _without_footnotes = _parser(footnotes=True), _parser(footnotes=False)
