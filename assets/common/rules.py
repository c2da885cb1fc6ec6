"""Rules about names, tags, metadata and identifiers: pure checks that yield problems.

Limits are in bytes of UTF-8. Source: contract 3.1.
"""

import unicodedata
from collections.abc import Iterator, Mapping

from django.utils.translation import gettext as _, gettext_lazy, ngettext

from .errors import Code, Problem

MAX_TEXT_BYTES = 100
# A sha256.
CHECKSUM = r"\A[0-9a-f]{64}\Z"
# Control characters that metadata values may hold, as upstream allows; a single line needs none.
LAYOUT = "\t\n\r"


def _invalid(asset: str, field: str, message: str) -> Problem:
    return Problem(Code.INVALID, message, field=field, asset=asset)


def unprintable(text: str, *, layout: bool = False) -> str | None:
    """Return the code point of the first character that texts may not hold, such as ``U+0000``.

    Tabs and line breaks are such characters, unless the text may have a `layout`.
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
    """Yield a problem unless `value` is a string of at most 100 bytes without control characters.

    It may be empty.
    """
    if not isinstance(value, str):
        yield _invalid(asset, field, _("must be a string."))
    elif bad := unprintable(value):
        message = _("contains the character %(character)s, which is not allowed. Remove it.")
        yield _invalid(asset, field, message % {"character": bad})
    elif len(value.encode()) > MAX_TEXT_BYTES:
        yield _invalid(asset, field, _length_message(value, least=0))


def check_name(value: object, *, asset: str, field: str = "name") -> Iterator[Problem]:
    """Yield a problem unless `value` is a short text, as for `check_text`, and not blank."""
    if not value or (isinstance(value, str) and not value.strip()):
        message = _("cannot be blank. Enter up to %(limit)d characters.")
        yield _invalid(asset, field, message % {"limit": MAX_TEXT_BYTES})
    elif isinstance(value, str) and len(value.encode(errors="replace")) > MAX_TEXT_BYTES:
        yield _invalid(asset, field, _length_message(value, least=1))
    else:
        yield from check_text(value, asset=asset, field=field)


def _length_message(value: str, *, least: int) -> str:
    counts = {
        "least": least,
        "most": MAX_TEXT_BYTES,
        "characters": len(value),
        "bytes": len(value.encode(errors="replace")),
    }
    if len(value) > MAX_TEXT_BYTES:
        message = _(
            "the length must be between %(least)d and %(most)d. "
            "This has %(characters)d characters. Shorten it."
        )
    else:
        # People count characters, so they have to know why theirs do not fit.
        message = ngettext(
            "the length must be between %(least)d and %(most)d. This has %(characters)d character, "
            "but it takes %(bytes)d bytes of UTF-8. Shorten it.",
            "the length must be between %(least)d and %(most)d. This has %(characters)d "
            "characters, but they take %(bytes)d bytes of UTF-8. Shorten it.",
            len(value),
        )
    return message % counts


def check_metadata(value: object, *, asset: str, field: str = "metadata") -> Iterator[Problem]:
    """Yield the problems of metadata: strings to strings of at most 100 bytes, no ``__`` in a key.

    Values may have tabs and line breaks.
    """
    if not isinstance(value, Mapping):
        yield _invalid(asset, field, _("must be an object whose keys and values are strings."))
        return
    for key, item in value.items():
        for message in _metadata_messages(key, item):
            yield _invalid(asset, field, message)


# What is wrong with a key, and with a value.
_NOT_STRING = (
    gettext_lazy('metadata key "%(key)s" must be a string. Put it in quotes.'),
    gettext_lazy('metadata value for key "%(key)s" must be a string. Put it in quotes.'),
)
_UNPRINTABLE = (
    gettext_lazy('metadata key "%(key)s" contains %(character)s. Remove it.'),
    gettext_lazy('metadata value for key "%(key)s" contains %(character)s. Remove it.'),
)
_TOO_LONG = (
    gettext_lazy('metadata key "%(key)s" is too long: %(bytes)d bytes. The limit is %(limit)d.'),
    gettext_lazy(
        'metadata value for key "%(key)s" is too long: %(bytes)d bytes. The limit is %(limit)d.'
    ),
)


def _metadata_messages(key: object, item: object) -> Iterator[str]:
    if not isinstance(key, str) or not key:
        yield _("a metadata key cannot be blank.")
        return
    shown = {"key": key if len(key) <= MAX_TEXT_BYTES else f"{key[:MAX_TEXT_BYTES]}…"}
    if "__" in key:
        yield (
            _(
                '"__" cannot be used in a metadata key, please use simple underscore instead '
                '(in "%(key)s").'
            )
            % shown
        )
    for place, text in enumerate((key, item)):
        if not isinstance(text, str):
            yield _NOT_STRING[place] % shown
        elif bad := unprintable(text, layout=place == 1):
            yield _UNPRINTABLE[place] % {**shown, "character": bad}
        elif (size := len(text.encode())) > MAX_TEXT_BYTES:
            yield _TOO_LONG[place] % {**shown, "bytes": size, "limit": MAX_TEXT_BYTES}
