"""Texts of others: read, cut, and source code as safe HTML with its syntax highlighted."""

import io
import tokenize
from codecs import getincrementaldecoder, lookup
from functools import lru_cache

from django.core.files.storage import default_storage
from django.utils.safestring import SafeString, mark_safe
from pygments import highlight as pygments_highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
from pygments.lexers.special import TextLexer
from pygments.util import ClassNotFound

# What pages show of a text; all of it can be downloaded.
MAX_SHOWN = 200_000
# Marking a text up takes its time, above all where a line does not end. Longer ones stay plain.
MAX_MARKED, MAX_LINE = 50_000, 2_000
# So many are kept as they were marked up: what is registered never changes.
KEPT = 32

# Those of alphabets. Others, such as punycode, take long, or make something else of a text.
_ENCODINGS = ("utf-8", "ascii", "iso8859-", "cp", "koi8-", "mac-", "gb", "big5", "euc_", "shift_j")


@lru_cache(KEPT)
def highlight(text: str, language: str = "") -> SafeString:
    """Return source code with its syntax marked; `language` is a lexer or the name of a file."""
    text = text[:MAX_SHOWN]
    if len(text) > MAX_MARKED or max(map(len, text.split("\n"))) > MAX_LINE:
        language = "text"
    try:
        lexer = get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        try:
            lexer = get_lexer_for_filename(language or "x.txt", stripnl=False)
        except ClassNotFound:
            lexer = TextLexer(stripnl=False)
    html = pygments_highlight(text, lexer, HtmlFormatter(nowrap=True))
    return mark_safe(f'<pre class="code" tabindex="0">{html}</pre>')  # noqa: S308  pygments escapes


def fits(text: str) -> bool:
    """Is all of it shown?"""
    return len(text) <= MAX_SHOWN


def cut(text: str, length: int) -> str:
    """Return the text, or its beginning where it does not fit."""
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


def counted(count: int, one: str, many: str = "") -> str:
    """Return a number with its noun: "1 task", "1,000 tasks"; `many` where an "s" is not enough."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def read_text(name: str) -> str | None:
    """Return the beginning of a stored text; None for what is no text or is not there."""
    try:
        with default_storage.open(name) as file:
            start = file.read(MAX_SHOWN)
            return decoded(start, cut=len(start) == MAX_SHOWN)
    except OSError:
        return None


def decoded(data: bytes, *, cut: bool = False) -> str | None:
    """Return the text that the bytes hold, or None for what is no text.

    It is UTF-8, or what its coding line says (PEP 263). Bytes that were `cut` off may end in the
    middle of a character.
    """
    if b"\0" in data:
        return None
    for encoding in (lambda: "utf-8-sig", lambda: source_encoding(data)):
        try:
            return getincrementaldecoder(encoding())().decode(data, final=not cut)
        except (UnicodeDecodeError, LookupError, SyntaxError):
            continue
    return None


def source_encoding(data: bytes) -> str:
    """Return the encoding that Python reads a source file by: its coding line's, or UTF-8.

    Raises: LookupError for one that is not read here; SyntaxError where Python reads none.
    """
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    if not lookup(encoding).name.startswith(_ENCODINGS):
        raise LookupError(encoding)
    return encoding
