"""Keys of the names of users and organisations that are equal for names that look alike.

Users would confuse names that differ only in case or in characters that look alike. The database
holds each key once. Characters that look alike are those of Unicode's list (UTS 39).
"""

import unicodedata
from functools import cache

from confusable_homoglyphs.utils import load
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

# ASCII characters that look alike in some case or font: I, l and 1; O and 0.
_ASCII = str.maketrans({"1": "l", "i": "l", "|": "l", "0": "o"})
# Scripts that may be mixed in a word, and scripts that may not be mixed with any other.
_TOGETHER = frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO"})
_ALONE = frozenset({"GREEK", "CYRILLIC", "ARMENIAN", "CHEROKEE", "COPTIC", "GEORGIAN", "LISU"})
# Between a key and a suffix that makes it unique; no name contains it.
SEPARATOR = "\n"
MAX_KEY_LENGTH = 400
# Longer texts, which can be megabytes, are not processed.
MAX_NAME_LENGTH = 150


def caseless(name: str) -> str:
    """Return the name of a user as sign-in compares it: ignoring case and compatibility forms.

    Full-width letters, for example, equal ordinary ones here, but not in searches
    (`folding.folded`).
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def name_key(name: str) -> str:
    """Return the key of a name: names that look alike have the same."""
    text = " ".join(caseless(name).split())
    if not text.isascii():
        text = "".join(map(_looks_like, text)).casefold()
    return text.translate(_ASCII).replace("rn", "m")[:MAX_KEY_LENGTH]


def check_scripts(name: str) -> None:
    """Check that no word mixes scripts whose letters look alike, such as Cyrillic and Latin.

    Raises:
        ValidationError: a word does.
    """
    for word in name.split():
        names = [unicodedata.name(one, "") for one in word if one.isalpha()]
        found = {one.split(" ")[0].split("-")[0] for one in names} & (_TOGETHER | _ALONE)
        if len(found - _TOGETHER) + bool(found & _TOGETHER) > 1:
            scripts = " and ".join(sorted(one.capitalize() for one in found))
            raise ValidationError(
                _(
                    'The word "%(word)s" mixes letters of %(scripts)s, which look alike. '
                    "Use one script for each word."
                ),
                code="mixed_scripts",
                params={"word": word, "scripts": scripts},
            )


def _looks_like(character: str) -> str:
    if character.isascii():
        return character
    if unicodedata.category(character) == "Cf":  # invisible
        return ""
    # The lower-case letter's look-alike first, then the upper-case one's.
    return _table().get(character) or _table().get(character.upper()) or character


@cache
def _table() -> dict[str, str]:
    """Return the look-alike of each non-ASCII character; loaded on first use."""
    alike = {
        character: [one["c"] for one in others]
        for character, others in load("confusables.json").items()
    }
    table = {}
    for character, others in alike.items():
        if len(character) == 1 and not character.isascii():
            plain = next((one for one in others if one.isascii()), None)
            # Without an ASCII look-alike, the one that most of them share.
            table[character] = plain or max(
                [character, *others], key=lambda one: (len(alike.get(one, ())), one)
            )
    return table
