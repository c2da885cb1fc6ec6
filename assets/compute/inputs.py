"""The inputs of tasks as plain values, and how the API spells them.

A task takes thousands of data samples, and hundreds of tasks take the same ones. So inputs that
follow each other are a group, and what is equal in a request is read once. Contract 2.7.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import msgspec
import orjson

from ..common.asset_keys import AssetKeys
from ..common.errors import Problem
from ..common.parsing import Reader, json_of

Item = TypeVar("Item")

_NO_KEYS = AssetKeys()
# What the four values of nearly every input are.
_TEXTS = {str, type(None)}
# An input is within the list of inputs, a task, the list of tasks and the body.
_DEPTH = 4
_split = msgspec.json.Decoder(list[msgspec.Raw]).decode


class InputRef(NamedTuple):
    """The source of one input: an asset, or an output of a parent task."""

    identifier: str
    asset_key: UUID | None = None
    parent_task_key: UUID | None = None
    parent_task_output_identifier: str | None = None


class InputGroup(NamedTuple):
    """Assets with one identifier that follow each other in the inputs of a task, or another input.

    Only the latter has a parent, or no key.
    """

    identifier: str
    asset_keys: AssetKeys = _NO_KEYS
    parent_task_key: UUID | None = None
    parent_task_output_identifier: str | None = None

    @property
    def size(self) -> int:
        """How many inputs there are in the group."""
        return len(self.asset_keys) or 1

    @property
    def refs(self) -> list[InputRef]:
        """The inputs one by one."""
        identifier, keys, parent, output = self
        return [InputRef(identifier, key, parent, output) for key in keys or (None,)]

    def as_json(self) -> bytes:
        """Return assets as the digest of a task has them: lists, separated by commas."""
        start = b"[" + orjson.dumps(self.identifier) + b","
        listed = self.asset_keys.json[1:-1].replace(b",", b",null,null]," + start)
        return start + listed + b",null,null]"


def _kind(ref: InputRef) -> str | InputGroup:
    """Return the identifier of an asset, which others can follow; or else the group of this one."""
    identifier, key, parent, output = ref
    if key is not None and parent is None and output is None:
        return identifier
    return InputGroup(identifier, _NO_KEYS if key is None else AssetKeys([key]), parent, output)


def _groups(
    items: Iterable[Item],
    kind_of: Callable[[Item], str | InputGroup],
    keys_of: Callable[[tuple[Item, ...]], AssetKeys],
) -> tuple[InputGroup, ...]:
    found: list[InputGroup] = []
    for kind, run in groupby(items, key=kind_of):
        if isinstance(kind, InputGroup):
            found += [kind for _ in run]
        else:
            found.append(InputGroup(kind, keys_of(tuple(run))))
    return tuple(found)


def grouped(refs: Iterable[InputRef]) -> tuple[InputGroup, ...]:
    """Return the groups of a task's inputs."""
    return _groups(refs, _kind, _keys_of)


def _keys_of(refs: Iterable[InputRef]) -> AssetKeys:
    return AssetKeys(ref.asset_key for ref in refs if ref.asset_key)


def placed(groups: Iterable[InputGroup]) -> Iterator[tuple[int, InputGroup]]:
    """Yield each group with the position of its first input."""
    position = 0
    for group in groups:
        yield position, group
        position += len(group.asset_keys) or 1


class _Numbers(dict[Any, int]):
    """The number of each input by its spelling; `add` gives out the number of a new one."""

    def __init__(self, add: Callable[[Any], int]) -> None:
        super().__init__()
        self.add = add

    def __missing__(self, spelling: Any) -> int:
        number = self[spelling] = self.add(spelling)
        return number


class InputReader:
    """Reads the inputs of all tasks of a request.

    Each distinct input is read once and then is a number, and lists of equal numbers share their
    keys: an input that repeats takes a third of a microsecond.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader.apart()
        self._numbers = _Numbers(self._add)
        # By number.
        self._refs: list[InputRef] = []
        self._kinds: list[str | InputGroup] = []
        self._problems: dict[int, list[Problem]] = {}
        self._keys: dict[tuple[int, ...], AssetKeys] = {}

    def read(self, reader: Reader, data: Mapping[str, Any]) -> tuple[InputGroup, ...]:
        """Return the groups of a task's inputs; `reader` gets the problems.

        Args:
            data: the task; its `inputs` are values, or the JSON of a list that is not decoded yet.

        Raises:
            ValueError: what is not decoded yet is not JSON (see `json_of`).
        """
        numbers = self._number(reader, data.get("inputs"))
        if self._problems and not self._problems.keys().isdisjoint(numbers):
            for index, number in enumerate(numbers):
                found = self._problems.get(number, ())
                reader.problems += [problem.below(f"inputs[{index}]") for problem in found]
            return ()
        return _groups(numbers, self._kinds.__getitem__, self._keys_of)

    def _number(self, reader: Reader, inputs: Any) -> list[int]:
        """Return the numbers of the inputs."""
        if isinstance(inputs, msgspec.Raw):
            try:
                return list(map(self._numbers.__getitem__, map(bytes, _split(inputs))))
            except msgspec.DecodeError:
                # No list, or no JSON.
                inputs = json_of(bytes(inputs), around=_DEPTH - 1)
        items = inputs if type(inputs) is list else reader.items({"inputs": inputs}, "inputs")
        return [self._numbers[_spelling(item)] for item in items]

    def _add(self, spelling: Any) -> int:
        """Read a new input and return its number."""
        if isinstance(spelling, bytes):
            item = json_of(spelling, around=_DEPTH)
        else:
            item = dict(zip(InputRef._fields, spelling, strict=True))
        ref, number, reader = InputRef(""), len(self._refs), self._reader
        if isinstance(item, Mapping):
            ref = InputRef(
                reader.text(item, "identifier"),
                reader.optional_key(item, "asset_key"),
                reader.optional_key(item, "parent_task_key"),
                reader.text(item, "parent_task_output_identifier") or None,
            )
        else:
            reader.complain("", "must be an object.")
        if reader.problems:
            self._problems[number], reader.problems = reader.problems, []
        self._refs.append(ref)
        self._kinds.append(_kind(ref))
        return number

    def _keys_of(self, numbers: tuple[int, ...]) -> AssetKeys:
        keys = self._keys.get(numbers)
        if keys is None:
            keys = self._keys[numbers] = _keys_of(map(self._refs.__getitem__, numbers))
        return keys


def _spelling(item: Any) -> tuple[str | None, ...] | bytes:
    """Return what equal inputs have in common: their four texts, or else their JSON."""
    if isinstance(item, dict):
        texts = tuple(map(item.get, InputRef._fields))
        if _TEXTS.issuperset(map(type, texts)):
            return texts
    return orjson.dumps(item)
