"""Which names count as the same: of people and organisations, whatever the case and the script.

Two names that differ in case only, or that look alike, would be taken for each other on every page.
So a name has a key, and the database holds each key once. Unicode's list of characters that look
alike (UTS 39) says which do.
"""

import unicodedata
from functools import cache

from confusable_homoglyphs.utils import load
from django.core.exceptions import ValidationError

# Which ASCII characters look alike in some case or font: I, l and 1; O and 0.
_ASCII = str.maketrans({"1": "l", "i": "l", "|": "l", "0": "o"})
# Scripts that are written together. Of the others, one name has one.
_TOGETHER = frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO"})
_ALONE = frozenset({"GREEK", "CYRILLIC", "ARMENIAN", "CHEROKEE", "COPTIC", "GEORGIAN", "LISU"})
# Between the key of a name and what makes it another one; no name holds it.
SEPARATOR = "\n"
MAX_KEY_LENGTH = 400
# What is longer is no name, and is not looked at: it may be megabytes.
MAX_NAME_LENGTH = 150


def caseless(name: str) -> str:
    """Return the name of a user as it is compared when somebody signs in: case does not count.

    Nor does the form of a letter, such as a full-width one. Searches tell these apart
    (`folding.folded`): what one means there is seen in what is found.
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def name_key(name: str) -> str:
    """Return what names that look alike have in common."""
    text = " ".join(caseless(name).split())
    if not text.isascii():
        text = "".join(map(_looks_like, text)).casefold()
    return text.translate(_ASCII).replace("rn", "m")[:MAX_KEY_LENGTH]


def check_scripts(name: str) -> None:
    """Refuse a word of letters that look alike but belong to several scripts, such as a Cyrillic
    "a" in a Latin word. Raises ValidationError."""
    for word in name.split():
        names = [unicodedata.name(one, "") for one in word if one.isalpha()]
        found = {one.split(" ")[0].split("-")[0] for one in names} & (_TOGETHER | _ALONE)
        if len(found - _TOGETHER) + bool(found & _TOGETHER) > 1:
            scripts = " and ".join(sorted(one.capitalize() for one in found))
            raise ValidationError(
                f'"{word}" mixes letters of {scripts}, which look alike. Use one script a word.',
                code="mixed_scripts",
            )


def _looks_like(character: str) -> str:
    if character.isascii():
        return character
    if unicodedata.category(character) == "Cf":  # not seen at all
        return ""
    # What a letter looks like as a small one comes first, then as a capital one.
    return _table().get(character) or _table().get(character.upper()) or character


@cache
def _table() -> dict[str, str]:
    """Return what each character that is not ASCII looks like; read once it is needed."""
    alike = {
        character: [one["c"] for one in others]
        for character, others in load("confusables.json").items()
    }
    table = {}
    for character, others in alike.items():
        if len(character) == 1 and not character.isascii():
            plain = next((one for one in others if one.isascii()), None)
            # Otherwise the one that all of them look like.
            table[character] = plain or max(
                [character, *others], key=lambda one: (len(alike.get(one, ())), one)
            )
    return table
