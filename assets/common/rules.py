"""Rules about names, tags, metadata and identifiers: pure checks that yield problems.

Limits are in bytes of UTF-8. Source: contract 3.1.
"""

import unicodedata
from collections.abc import Iterator, Mapping

from .errors import Code, Problem

MAX_TEXT_BYTES = 100
# Control characters that values of metadata may hold, as upstream allows; one line needs none.
LAYOUT = "\t\n\r"


def _invalid(asset: str, field: str, message: str) -> Problem:
    return Problem(Code.INVALID, message, field=field, asset=asset)


def unprintable(text: str, *, layout: bool = False) -> str | None:
    """Return how to name the first character that no text of ours may hold, if there is one.

    Tabs and line breaks are such characters unless the text may have a `layout`.
    """
    # Cc: control characters (PostgreSQL stores no NUL); Cs: halves of a surrogate pair, not UTF-8.
    allowed = LAYOUT if layout else ""
    bad = next(
        (
            char
            for char in text
            if unicodedata.category(char) in ("Cc", "Cs") and char not in allowed
        ),
        None,
    )
    return None if bad is None else f"U+{ord(bad):04X}"


def check_text(value: object, *, asset: str, field: str) -> Iterator[Problem]:
    """A short text: a string of at most 100 bytes without control characters; may be empty."""
    if not isinstance(value, str):
        yield _invalid(asset, field, "must be a text.")
    elif bad := unprintable(value):
        yield _invalid(asset, field, f"contains the character {bad}; remove it.")
    elif len(value.encode()) > MAX_TEXT_BYTES:
        yield _invalid(asset, field, _length_message(value, least=0))


def check_name(value: object, *, asset: str, field: str = "name") -> Iterator[Problem]:
    """A name or identifier: as a short text, and not blank."""
    if not value or (isinstance(value, str) and not value.strip()):
        yield _invalid(asset, field, f"cannot be blank. Give 1 to {MAX_TEXT_BYTES} bytes of text.")
    elif isinstance(value, str) and len(value.encode(errors="replace")) > MAX_TEXT_BYTES:
        yield _invalid(asset, field, _length_message(value, least=1))
    else:
        yield from check_text(value, asset=asset, field=field)


def _length_message(value: str, *, least: int) -> str:
    return (
        f"the length must be between {least} and {MAX_TEXT_BYTES}. "
        f"It is {len(value.encode(errors='replace'))} bytes of UTF-8; shorten it."
    )


def check_metadata(value: object, *, asset: str, field: str = "metadata") -> Iterator[Problem]:
    """Metadata: text to text, keys and values of at most 100 bytes, no ``__`` in a key.

    Values may have tabs and line breaks.
    """
    if not isinstance(value, Mapping):
        yield _invalid(asset, field, "must be an object of text keys and text values.")
        return
    for key, item in value.items():
        yield from _check_metadata_entry(key, item, asset, field)


def _check_metadata_entry(key: object, item: object, asset: str, field: str) -> Iterator[Problem]:
    if not isinstance(key, str) or not key:
        yield _invalid(asset, field, "a metadata key cannot be blank.")
        return
    shown = key if len(key) <= MAX_TEXT_BYTES else f"{key[:MAX_TEXT_BYTES]}…"
    if "__" in key:
        yield _invalid(
            asset,
            field,
            '"__" cannot be used in a metadata key, please use simple underscore instead '
            f'(in "{shown}").',
        )
    for what, text, layout in (("key", key, False), ("value for key", item, True)):
        if not isinstance(text, str):
            yield _invalid(asset, field, f'metadata {what} "{shown}" must be a text; quote it.')
        elif bad := unprintable(text, layout=layout):
            yield _invalid(asset, field, f'metadata {what} "{shown}" contains {bad}; remove it.')
        elif len(text.encode()) > MAX_TEXT_BYTES:
            yield _invalid(
                asset,
                field,
                f'metadata {what} "{shown}" is too long: '
                f"{len(text.encode())} bytes, at most {MAX_TEXT_BYTES}.",
            )
