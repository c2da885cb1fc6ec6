"""What is said when something is refused: the same words through every door.

A rule yields `Problem`s. `registration` raises them together as one `Refused`; the API answers
with the first one's status and text, a form shows each beside its field.
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta


class Code(enum.Enum):
    """Stable error codes of the contract, each with its HTTP status."""

    INVALID = ("OE0101", 400)
    BAD_REQUEST = ("OE0003", 400)
    FORBIDDEN = ("OE0102", 403)
    NOT_FOUND = ("OE0002", 404)
    CONFLICT = ("OE0006", 409)
    TERMINATED = ("OE0109", 400)
    # The same Idempotency-Key for another request: a code of our own.
    KEY_REUSED = ("OE0012", 422)

    def __init__(self, label: str, status: int) -> None:
        self.label = label
        self.status = status


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: which rule, on which asset and field, and what to do about it.

    `field` is a path such as ``name`` or ``tasks[3].inputs[0].identifier``; empty for the whole.
    `key` is the key of the asset that stands in the way, where there is one.
    """

    code: Code
    message: str
    field: str = ""
    asset: str = ""
    key: str | None = None

    @property
    def text(self) -> str:
        """The full sentence for those who do not see the field: code, asset, field, message."""
        asset = f"{self.asset} is not valid" if self.asset and self.code is Code.INVALID else ""
        return ": ".join(filter(None, (self.code.label, asset, self.field, self.message)))

    @property
    def sentence(self) -> str:
        """The message for those who see the field beside it."""
        return self.message[:1].upper() + self.message[1:]

    def below(self, prefix: str) -> "Problem":
        """Return this problem with `prefix` put before its field path."""
        return replace(self, field=f"{prefix}.{self.field}" if self.field else prefix)


class Refused(Exception):
    """A request that breaks at least one rule; nothing of it was written."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        self.first = self.problems[0]
        super().__init__(self.first.text)

    @property
    def status(self) -> int:
        return self.first.code.status


class TooManyAttempts(Exception):
    """Too many attempts to sign in failed: the next one must wait. `wait` says how long."""

    def __init__(self, wait: timedelta, why: str = "There were too many attempts.") -> None:
        self.wait = wait
        super().__init__(f"{why} Wait {_in_words(wait)}, then try again.")


def _in_words(wait: timedelta) -> str:
    """Return a time to wait, such as "4 minutes"; never less than it is."""
    seconds = int(wait.total_seconds()) + 1
    if seconds <= 90:
        return f"{seconds} seconds"
    return f"{-(-seconds // 60)} minutes"


def refuse_if(problems: Iterable[Problem]) -> None:
    """Raise `Refused` when there is any problem."""
    found = list(problems)
    if found:
        raise Refused(found)


def refuse(code: Code, message: str, **where: str | None) -> Refused:
    """Build the `Refused` for one problem, to be raised by the caller."""
    return Refused([Problem(code, message, **where)])  # type: ignore[arg-type]


def not_found(asset: str, key: object) -> Problem:
    """The problem of a key that names nothing."""
    message = f'{asset} with key "{key}" not found; copy the key of a registered one.'
    return Problem(Code.NOT_FOUND, message, asset=asset)
