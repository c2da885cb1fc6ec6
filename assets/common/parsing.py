"""Read JSON into plain values: checks types only and collects every problem."""

import json
from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Any
from uuid import UUID

import orjson
from django.utils.translation import gettext as _

from .errors import Code, Problem

# In a longer text, no search finds which key is given twice.
LONGEST_SEARCHED = 4 * 1024**2


class LossyJSON(ValueError):
    """JSON that could not be stored and written again without a loss."""


def json_of(text: bytes | str, *, around: int = 0) -> Any:
    """Return the value of a JSON text.

    Args:
        text: UTF-8 if it is bytes.
        around: how many levels will enclose the value.

    Raises:
        LossyJSON: it is nested more deeply than could be written again in a response, or an object
            has a key twice, of which one would be lost.
        orjson.JSONDecodeError: it is not JSON.
    """
    value = orjson.loads(text)
    try:
        expected = _quotes(
            orjson.dumps(reduce(lambda inner, _level: [inner], range(around), value))
        )
    except orjson.JSONEncodeError as error:
        raise too_deep() from error
    # Of equal keys only the last one survives, so quotation marks are missing. Looking at each
    # object would take ten times as long as reading all of them.
    source = text.encode() if isinstance(text, str) else text
    if _quotes(source) != expected:
        raise _repeated_key_in(source)
    return value


def too_deep() -> LossyJSON:
    """Return the error of JSON with too many levels."""
    return LossyJSON(_("The JSON is nested too deeply. Use fewer levels."))


def repeated_key(key: str) -> LossyJSON:
    """Return the error of an object with a key that it has twice."""
    message = _('The JSON has the key "%(key)s" twice in one object. Remove one of the two.')
    return LossyJSON(message % {"key": key})


def _quotes(text: bytes) -> int:
    """Return the number of quotation marks that begin or end a text of JSON."""
    if b"\\" not in text:
        return text.count(b'"')
    unescaped = text.replace(b"\\\\", b"")
    return unescaped.count(b'"') - unescaped.count(b'\\"')


def _repeated_key_in(text: bytes) -> LossyJSON:
    repeated: list[str] = []

    def look(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for key, _value in pairs:
            if key in seen:
                repeated.append(key)
            seen.add(key)

    if len(text) <= LONGEST_SEARCHED:
        json.loads(text, object_pairs_hook=look)
    if not repeated:
        return LossyJSON(_("The JSON has a key twice in one object. Remove one of the two."))
    return repeated_key(repeated[0])


def as_key(value: object) -> UUID | None:
    """Return the UUID that `value` spells in any form that Python reads, or None."""
    if isinstance(value, UUID):
        return value
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def as_keys(values: Iterable[object]) -> list[UUID]:
    """Return the UUIDs among the values, in their order."""
    return [key for key in map(as_key, values) if key]


# A key has 32 digits; fewer than four would find any number of them.
KEY_DIGITS, FEWEST_DIGITS = 32, 4


def key_range(text: str, *, fewest: int = FEWEST_DIGITS) -> tuple[UUID, UUID] | None:
    """Return the first and the last key that begin with the text; None when none can."""
    digits = text.lower().removeprefix("urn:uuid:").strip("{}").replace("-", "")
    if not fewest <= len(digits) <= KEY_DIGITS or set(digits) - set("0123456789abcdef"):
        return None
    return UUID(digits.ljust(KEY_DIGITS, "0")), UUID(digits.ljust(KEY_DIGITS, "f"))


class LazyItems(Iterable[Any]):
    """The items of a list in a large body, decoded one by one as they are iterated."""


class _Within:
    """The context manager of `Reader.within`; batches enter it too often for a generator."""

    __slots__ = ("known", "prefix", "problems")

    def __init__(self, problems: list[Problem], prefix: str) -> None:
        self.problems, self.prefix, self.known = problems, prefix, len(problems)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        if len(self.problems) > self.known:
            below = [problem.below(self.prefix) for problem in self.problems[self.known :]]
            self.problems[self.known :] = below


class Reader:
    """Reads the fields of JSON objects and collects the problems."""

    def __init__(self, asset: str) -> None:
        self.asset = asset
        self.problems: list[Problem] = []
        # A batch repeats the same keys, and parsing one takes long.
        self._keys: dict[str, UUID] = {}

    def apart(self) -> "Reader":
        """Return a reader with problems of its own, to which the same texts are the same keys."""
        reader = Reader(self.asset)
        reader._keys = self._keys
        return reader

    def complain(self, field: str, message: str) -> None:
        self.problems.append(Problem(Code.INVALID, message, field, self.asset))

    def within(self, prefix: str) -> "_Within":
        """Prefix the field paths of the problems found in this block with `prefix`."""
        return _Within(self.problems, prefix)

    def key(self, data: Mapping[str, Any], field: str) -> UUID | None:
        """Read a required key."""
        value = data.get(field)
        key = self._as_key(value)
        if key is None:
            self._complain_of_key(value, field)
        return key

    def _as_key(self, value: object) -> UUID | None:
        if not isinstance(value, str):
            return as_key(value)
        key = self._keys.get(value)
        if key is None and (key := as_key(value)):
            self._keys[value] = key
        return key

    def optional_key(self, data: Mapping[str, Any], field: str) -> UUID | None:
        """Read a key that may be absent, null or blank."""
        return self.key(data, field) if data.get(field) else None

    def _complain_of_key(self, value: object, field: str) -> None:
        if value in (None, ""):
            self.complain(field, _("is missing. Give the key, a UUID."))
        else:
            self.complain(field, _('"%(value)s" is not a valid UUID.') % {"value": value})

    def text(self, data: Mapping[str, Any], field: str) -> str:
        """Read a text; absent and null are empty."""
        value = data.get(field)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.complain(field, _("must be a string."))
            return ""
        return value

    def flag(self, data: Mapping[str, Any], field: str) -> bool:
        """Read true or false; absent and null are false."""
        value = data.get(field)
        if value is None or isinstance(value, bool):
            return bool(value)
        self.complain(field, _("must be true or false."))
        return False

    def items(self, data: Mapping[str, Any], field: str) -> Iterable[Any]:
        """Read a list; absent and null are empty."""
        value = data.get(field)
        if value is None:
            return []
        if isinstance(value, LazyItems):
            return value
        if isinstance(value, list | tuple):
            return list(value)
        self.complain(field, _("must be a list."))
        return []

    def keys(self, data: Mapping[str, Any], field: str) -> list[UUID]:
        """Read a list of keys; absent and null are empty."""
        found = []
        for index, item in enumerate(self.items(data, field)):
            if key := self._as_key(item):
                found.append(key)
            else:
                self._complain_of_key(item, f"{field}[{index}]")
        return found

    def mapping(self, data: Mapping[str, Any], field: str) -> dict[str, Any]:
        """Read an object; absent and null are empty."""
        value = data.get(field)
        if value is None:
            return {}
        if isinstance(value, Mapping):
            return dict(value)
        self.complain(field, _("must be an object."))
        return {}
