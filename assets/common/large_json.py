"""JSON objects whose bulk is one long list: the list is read from a file, item by item.

msgspec splits a list without making objects of its items, at the speed of memory. It needs the text
of a whole list, so the long one is read in parts of some MiB that end where an item ends. Neither
the text nor its objects are in memory as a whole.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from io import BufferedIOBase
from typing import Any, NamedTuple

import msgspec
import orjson
from django.template.defaultfilters import filesizeformat

from .parsing import LazyItems, LossyJSON, json_of, repeated_key, too_deep

# Bytes of a part: shorter texts need no parts.
PART = 4 * 1024**2
# An item, and everything that is not in the list, has at most this number of bytes.
LARGEST_ITEM = 64 * 1024**2
# Items up to this size are decoded at once. Of larger ones, one member is not decoded.
SMALL_ITEM = 4 * 1024
# Places in a part where an item may end, of which one does.
ATTEMPTS = 8

SPACE = b" \t\r\n"
BEGIN = re.compile(rb'[ \t\r\n]*(\{[ \t\r\n]*"[^"]*")')


class _Name:
    """The name of a member. Two that are spelled alike are not equal, so that none gets lost."""

    def __init__(self, text: str) -> None:
        self.text = text


_list = msgspec.json.Decoder(list[msgspec.Raw])
_object = msgspec.json.Decoder(
    dict[_Name, msgspec.Raw],
    dec_hook=lambda _type, text: _Name(text),
)


class _Part(NamedTuple):
    """Where a text of items, separated by commas, begins and ends in the file."""

    begin: int
    end: int


class LargeItems(LazyItems):
    """The items of a list in a file, which each iteration reads again.

    Of a large item, the member `kept` is a `msgspec.Raw`: the text of its value.
    """

    def __init__(self, file: BufferedIOBase, name: str, kept: str, parts: list[_Part]) -> None:
        self._file, self._name, self._kept, self._parts = file, name, kept, parts

    def __iter__(self) -> Iterator[Any]:
        """Yield the items. Raises: ValueError as `json_of`, which names the item."""
        index = 0
        for part in self._parts:
            self._file.seek(part.begin)
            text = b"[%s]" % self._file.read(part.end - part.begin)
            for item in _split(_list, text, part.begin):
                try:
                    value = self._value(item)
                except ValueError as error:
                    raise LossyJSON(f"{self._name}[{index}]: {error}") from error
                yield value
                index += 1

    def _value(self, item: msgspec.Raw) -> Any:
        text = memoryview(item)
        if len(text) <= SMALL_ITEM or bytes(text[:1]) != b"{":
            return json_of(bytes(text), around=2)
        found: dict[str, Any] = {}
        for name, raw in _object.decode(item).items():
            if name.text in found:
                raise repeated_key(name.text)
            is_kept = name.text == self._kept
            found[name.text] = raw if is_kept else json_of(bytes(memoryview(raw)), around=3)
        return found

    def digest(self) -> str:
        """Return the sha256 of the whole file."""
        self._file.seek(0)
        return hashlib.file_digest(self._file, hashlib.sha256).hexdigest()


def large_object(file: BufferedIOBase, name: str, kept: str) -> Any:
    """Return the JSON object in a file, with `LargeItems` as its list `name`.

    Args:
        file: can be sought, and stays open as long as the items are needed.
        name: the member that is a list of objects.
        kept: the member of each of these objects that stays undecoded where the object is large.

    Raises:
        ValueError: as `json_of`; or a part that must be in memory is too large.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(PART)
    begin = _begin_of_list(head, name)
    if begin is None:
        if size > LARGEST_ITEM:
            raise LossyJSON(_too_large(0))
        return json_of(head + file.read())
    parts: list[_Part] = []
    start, length = begin, PART
    while True:
        file.seek(start)
        text = file.read(length)
        if start + len(text) >= size:
            break
        if end := _end_of_items(text):
            parts.append(_Part(start, start + end))
            start, length = start + end + 1, PART
        elif length < LARGEST_ITEM:
            length *= 2
        else:
            raise LossyJSON(_too_large(start))
    # The rest of the list, and of the object.
    members = _split(_object, b'{"":[%s' % text, start)
    rest = memoryview(next(iter(members.values())))[1:-1]
    parts.append(_Part(start, start + len(rest)))
    value = json_of(head[:begin] + text[len(rest) :])
    value[name] = LargeItems(file, name, kept, parts)
    return value


def _begin_of_list(head: bytes, name: str) -> int | None:
    """Return where the first item of the object's list `name` begins; None if it is not there."""
    for match in re.finditer(rb'"%s"[ \t\r\n]*:[ \t\r\n]*\[' % name.encode(), head):
        try:
            orjson.loads(head[: match.end()] + b"]}")
        except orjson.JSONDecodeError:  # another list of this name, in an inner object
            continue
        return match.end()
    return None


def _end_of_items(text: bytes) -> int:
    """Return where the last whole item ends in a text that begins with one; 0 if it is not found.

    The objects of a list begin alike, so the last place where one seems to begin is tried first.
    The text before it is a list only if it is one.
    """
    begin = BEGIN.match(text)
    at = len(text)
    for _ in range(ATTEMPTS):
        at = text.rfind(begin[1], 1, at) if begin else -1
        if at < 1:
            break
        before = text[:at].rstrip(SPACE)
        if before.endswith(b","):
            try:
                _list.decode(b"[%s]" % before[:-1])
            except (msgspec.DecodeError, RecursionError):
                continue
            return len(before) - 1
    return 0


def _split(decoder: Any, text: bytes, start: int) -> Any:
    try:
        return decoder.decode(text)
    except RecursionError as error:
        raise too_deep() from error
    except msgspec.DecodeError as error:
        raise LossyJSON(f"{error}, counted from byte {start}") from error


def _too_large(start: int) -> str:
    return (
        f"no item ends within {filesizeformat(LARGEST_ITEM)} after byte {start}. Check the JSON "
        "there, or send less at a time."
    )
