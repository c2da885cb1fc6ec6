"""The words that the project avoids; CONTRIBUTING.md describes the style."""

import re

_WORDS = "mends?|told|tells?|said|whom|nobody|glimpses?|doors?|desks?"
_PHRASES = (
    "so many|of late|as it is|stands? against|hand(?:s|ed)? over|given up|as long as there is"
)
# In names, an underscore or the case of letters ends a word.
_CAMEL = "Told|Tells?|Said|Nobody|Doors?|Desks?"
BANNED = re.compile(
    rf"(?<![A-Za-z])(?i:{_WORDS}|{_PHRASES.replace(' ', '[ _]')})(?![a-z])"
    rf"|(?<=[a-z])(?:{_CAMEL})(?![a-z])"
)
# Documents avoid these too; in code, "kept" has a plain sense.
BANNED_IN_PROSE = re.compile(r"\b(?:all the same|works no more|kept)\b", re.IGNORECASE)
