"""How names are compared: whatever the case of their letters, and however these are encoded.

"É" is one character, or "E" and an accent; and it is "é" when one searches. `folded` makes them
equal, which Unicode calls canonical caseless matching. `order_key` puts a name where a reader
looks for it: by its letters first, by accents and case only among names of the same letters.

Rows of which there may be a million keep both beside the name (`fields.NameKeyField`). What is
not kept so, the database folds by a function: SQLite by ours, PostgreSQL by its own with ICU.
"""

from typing import Any
from unicodedata import combining, normalize

# Comes before whatever a name has.
SEPARATOR = "\x1f"
# Letters that are no other letter with an accent, and are looked for as if they were.
_ALIKE = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ı": "i"}
)


def folded(text: str) -> str:
    """Return the text as it is compared when one searches."""
    if text.isascii():
        return text.lower()
    # Case folding of an accent depends on its order, which decomposing settles.
    return normalize("NFC", normalize("NFD", text).casefold())


def order_key(text: str) -> str:
    """Return what orders names when compared character by character; unlike for unlike names."""
    small = folded(text)
    if small.isascii():
        letters = small
    else:
        decomposed = normalize("NFKD", small)
        letters = "".join(letter for letter in decomposed if not combining(letter))
        letters = letters.translate(_ALIKE)
    return SEPARATOR.join((letters, small, text))


def spellings(text: str) -> list[str]:
    """Return the encodings that the same text may be stored in."""
    if text.isascii():
        return [text]
    return list(dict.fromkeys([text, normalize("NFC", text), normalize("NFD", text)]))


# The names by which SQL calls these on SQLite.
FOLDED, ORDER_KEY = "registrar_folded", "registrar_order_key"
# The collation of PostgreSQL that knows the letters of all languages.
ICU = '"und-x-icu"'


def add_functions(connection: Any, **_: Any) -> None:
    """Give a new connection to SQLite the functions that queries use."""
    if connection.vendor == "sqlite":
        for name, function in ((FOLDED, folded), (ORDER_KEY, order_key)):
            connection.connection.create_function(name, 1, _of_text(function), deterministic=True)


def _of_text(function: Any) -> Any:
    return lambda value: None if value is None else function(str(value))
