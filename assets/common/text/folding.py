"""Comparison of names regardless of case and Unicode normalisation.

"É" is one character, or "E" and an accent, and searches for "é" find both. `folded` makes them
equal (in Unicode's terms, canonical caseless matching). `order_key` sorts by letters first, and by
accents and case only among names with the same letters.

Large tables store both beside the name (`fields.NameKeyField`). Other texts are folded by functions
of the database: on SQLite by these, on PostgreSQL by its own with ICU.
"""

from typing import Any
from unicodedata import combining, normalize

# Sorts before all characters of a name.
SEPARATOR = "\x1f"
# Letters that sort like others, although Unicode does not decompose them.
_ALIKE = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ı": "i"}
)


def folded(text: str) -> str:
    """Return the text as searches compare it."""
    if text.isascii():
        return text.lower()
    # Folding depends on the order of accents, which NFD makes unique.
    return normalize("NFC", normalize("NFD", text).casefold())


def order_key(text: str) -> str:
    """Return a key that orders names when compared by code points; it is unique for each name."""
    small = folded(text)
    if small.isascii():
        letters = small
    else:
        decomposed = normalize("NFKD", small)
        letters = "".join(letter for letter in decomposed if not combining(letter))
        letters = letters.translate(_ALIKE)
    return SEPARATOR.join((letters, small, text))


def spellings(text: str) -> list[str]:
    """Return the Unicode normalisations in which the same text may be stored."""
    if text.isascii():
        return [text]
    return list(dict.fromkeys([text, normalize("NFC", text), normalize("NFD", text)]))


# The names of these functions in SQLite's SQL.
FOLDED, ORDER_KEY = "registrar_folded", "registrar_order_key"
# PostgreSQL's collation for all languages.
ICU = '"und-x-icu"'


def add_functions(connection: Any, **_: Any) -> None:
    """Register the SQL functions on a new SQLite connection; a receiver of connection_created."""
    if connection.vendor == "sqlite":
        for name, function in ((FOLDED, folded), (ORDER_KEY, order_key)):
            connection.connection.create_function(name, 1, _of_text(function), deterministic=True)


def _of_text(function: Any) -> Any:
    return lambda value: None if value is None else function(str(value))
