"""Problems with a request, worded the same in the API, on pages and in the admin.

A rule yields `Problem`s. `registration` raises them together as one `Refused`; the API responds
with the first one's status and text, a form shows each beside its field.
"""

import enum
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from django.utils.translation import gettext as _, ngettext


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
    """One thing that is wrong with a request, and what to do about it.

    Attributes:
        code: which kind of problem.
        message: cause and remedy; it follows the name of the field, so it may begin in lower case.
        field: a path such as ``name`` or ``tasks[3].inputs[0].identifier``; empty for the whole.
        asset: the wire's word for the asset, such as ``datamanager``.
        key: the key of the asset in conflict, if there is one.
        identifier: the input or output in question, where `field` names the whole list of them.
    """

    code: Code
    message: str
    field: str = ""
    asset: str = ""
    key: str | None = None
    identifier: str = ""

    @property
    def text(self) -> str:
        """The message for programs: code, asset, field and message."""
        asset = f"{self.asset} is not valid" if self.asset and self.code is Code.INVALID else ""
        return ": ".join(filter(None, (self.code.label, asset, self.field, self.message)))

    @property
    def sentence(self) -> str:
        """The message for people, who see the field beside it."""
        return self.message[:1].upper() + self.message[1:]

    def below(self, prefix: str) -> "Problem":
        """Return this problem with `prefix` before its field path."""
        return replace(self, field=f"{prefix}.{self.field}" if self.field else prefix)


class Refused(Exception):
    """A request broke at least one rule; nothing of it was written."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        self.first = self.problems[0]
        super().__init__(self.first.text)

    @property
    def status(self) -> int:
        return self.first.code.status


class TooManyAttempts(Exception):
    """Too many attempts to sign in failed: the next one must wait. `wait` says how long."""

    def __init__(self, wait: timedelta, why: str = "") -> None:
        self.wait = wait
        super().__init__(
            _("%(reason)s Wait %(time)s, then try again.")
            % {"reason": why or _("There were too many attempts."), "time": _in_words(wait)}
        )


def _in_words(wait: timedelta) -> str:
    """Return a time to wait, such as "4 minutes", rounded up."""
    seconds = int(wait.total_seconds()) + 1
    if seconds <= 90:
        return ngettext("%(count)d second", "%(count)d seconds", seconds) % {"count": seconds}
    minutes = -(-seconds // 60)
    return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}


def refuse_if(problems: Iterable[Problem]) -> None:
    """Raise `Refused` if there is any problem."""
    found = list(problems)
    if found:
        raise Refused(found)


def refuse(code: Code, message: str, **where: str | None) -> Refused:
    """Return a `Refused` for one problem, for the caller to raise."""
    return Refused([Problem(code, message, **where)])  # type: ignore[arg-type]


# Of what one list of a request has, which can be thousands.
MAX_OF_ONE_LIST = 20


def first_of(places: Sequence[int], problem_at: Callable[[int], Problem]) -> Iterator[Problem]:
    """Yield the problems at the first of these places, and then how many more there are."""
    yield from map(problem_at, places[:MAX_OF_ONE_LIST])
    if more := len(places[MAX_OF_ONE_LIST:]):
        message = _("%(count)s more have problems like those before; check the whole list.")
        message %= {"count": f"{more:,}"}
        yield replace(problem_at(places[MAX_OF_ONE_LIST]), message=message)


def not_found(asset: str, key: object) -> Problem:
    """Return the problem of a key that no registered asset has."""
    message = _('%(asset)s with key "%(key)s" not found. Copy the key of a registered one.')
    return Problem(Code.NOT_FOUND, message % {"asset": asset, "key": key}, asset=asset)
