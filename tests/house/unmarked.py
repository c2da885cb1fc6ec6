"""Finds text that people read and that is not marked for translation."""

import re
from html.parser import HTMLParser
from pathlib import Path

from django.template.base import Lexer, TokenType

TEMPLATES = Path(__file__).parents[2] / "templates"
# Pages of the API are in English, as the API is.
ENGLISH = ("rest_framework", "django_filters", "drf_spectacular")
READ_ATTRIBUTES = {"title", "aria-label", "placeholder", "alt", "label"}
SKIPPED_ELEMENTS = {"script", "style", "code", "kbd", "pre", "time"}
# Names that are the same in every language.
NAMES = {"Registrar", "CSV", "JSON", "sha", "SDK", "API", "curl", "Python", "UTC"}
# In Latin letters: tests give what people type other letters.
WORD = re.compile(r"[A-Za-zÀ-ÿ]{2,}")
_LITERAL = re.compile(r"""(_\()?("[^"]*"|'[^']*')""")
# Tags whose arguments are names, not text.
_NAMING_TAGS = {
    "block", "url", "static", "include", "extends", "load", "if", "elif", "icon", "with",
    "heroicon_mini", "heroicon_outline", "translate", "blocktranslate", "regroup", "comment",
    "crispy_field",
}  # fmt: skip


class Texts(HTMLParser):
    """Collects what people read of HTML: text, and the attributes that are read out."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.found = []
        self.skipped = 0

    def handle_starttag(self, tag, attrs):
        self.skipped += tag in SKIPPED_ELEMENTS
        if not self.skipped:
            self.found += [value for name, value in attrs if name in READ_ATTRIBUTES and value]
            kind = dict(attrs)
            if tag == "input" and kind.get("type") in ("submit", "button"):
                self.found.append(kind.get("value") or "")

    def handle_endtag(self, tag):
        self.skipped -= tag in SKIPPED_ELEMENTS

    def handle_data(self, data):
        if not self.skipped:
            self.found.append(data)


def texts_of(html):
    parser = Texts()
    parser.feed(html)
    parser.close()
    return parser.found


def words_in(text, known=()):
    return [word for word in WORD.findall(text) if word not in NAMES and word not in known]


def templates():
    return [
        path
        for path in sorted(TEMPLATES.rglob("*.html"))
        if path.relative_to(TEMPLATES).parts[0] not in ENGLISH
    ]


def unmarked_in_template(path):
    """Yield the texts of a template that `translate` and `blocktranslate` do not mark."""
    html, is_inside, is_comment, is_class = [], False, False, False
    for token in Lexer(path.read_text()).tokenize():
        name = token.contents.split()[0] if token.contents.split() else ""
        if token.token_type == TokenType.BLOCK:
            if name == "comment" or name == "endcomment":
                is_comment = name == "comment"
            if name in ("blocktranslate", "endblocktranslate"):
                is_inside = name == "blocktranslate"
            if name in ("block", "endblock"):
                is_class = token.contents.endswith("_class")
        if is_inside or is_comment or is_class:
            continue
        if token.token_type == TokenType.TEXT:
            html.append(token.contents)
        elif token.token_type in (TokenType.BLOCK, TokenType.VAR):
            yield from _unmarked_literals(token.contents, name, token.token_type)
    for text in texts_of("".join(html)):
        if words_in(text) and not text.lstrip().startswith("hx-"):
            yield " ".join(text.split())


def _unmarked_literals(contents, name, kind):
    if "pluralize" in contents:
        yield contents
    if kind == TokenType.BLOCK and name in _NAMING_TAGS:
        return
    for marked, literal in _LITERAL.findall(contents):
        text = literal[1:-1]
        if not marked and words_in(text) and (" " in text.strip() or text[:1].isupper()):
            yield contents
