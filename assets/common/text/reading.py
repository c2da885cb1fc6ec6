"""Texts from files: decoded, shortened, and source code highlighted as safe HTML."""

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

# Characters of a text that pages show; the file can be downloaded.
MAX_SHOWN = 200_000
# Bytes of logs that pages show: the last ones.
MAX_END = 20_000
# Longer texts, or texts with longer lines, are not highlighted: it would take too long.
MAX_HIGHLIGHTED, MAX_LINE = 50_000, 2_000
# Highlighted texts in memory: files of assets never change.
MAX_CACHED_TEXTS = 32

# Python's other codecs, such as punycode, are slow or transform texts.
_ENCODINGS = ("utf-8", "ascii", "iso8859-", "cp", "koi8-", "mac-", "gb", "big5", "euc_", "shift_j")


@lru_cache(MAX_CACHED_TEXTS)
def highlight(text: str, language: str = "") -> SafeString:
    """Return source code as highlighted HTML; `language` is a lexer or the name of a file."""
    text = text[:MAX_SHOWN]
    if len(text) > MAX_HIGHLIGHTED or max(map(len, text.split("\n"))) > MAX_LINE:
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
    """Return whether pages show the whole text."""
    return len(text) <= MAX_SHOWN


def cut(text: str, length: int) -> str:
    """Return the text, shortened to `length` characters with an ellipsis."""
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


def read_text(name: str) -> str | None:
    """Return the first `MAX_SHOWN` characters of a stored text; None if it is no text or lost."""
    try:
        with default_storage.open(name) as file:
            start = file.read(MAX_SHOWN)
            return decoded(start, cut=len(start) == MAX_SHOWN)
    except OSError:
        return None


def read_end(name: str, size: int) -> str | None:
    """Return the last `MAX_END` bytes of a stored text of this size; None if it is lost.

    It begins with a whole line where it can. Bytes that are no text are replaced.
    """
    start = max(0, size - MAX_END)
    try:
        with default_storage.open(name) as file:
            file.seek(start)
            data = file.read(MAX_END)
    except OSError:
        return None
    if start:
        _part, newline, rest = data.partition(b"\n")
        data = rest if newline and rest else data
    return data.decode(errors="replace").replace("\0", "\ufffd")


def decoded(data: bytes, *, cut: bool = False) -> str | None:
    """Return the bytes as text, or None if they are none.

    The encoding is UTF-8, or that of a coding line (PEP 263). If the bytes are `cut`, they may end
    inside a character.
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
    """Return the encoding of a Python source file: that of its coding line, or UTF-8.

    Raises:
        LookupError: the encoding is not supported here.
        SyntaxError: the coding line is invalid.
    """
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    if not lookup(encoding).name.startswith(_ENCODINGS):
        raise LookupError(encoding)
    return encoding
