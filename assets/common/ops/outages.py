"""What passes by itself or by the operator's hand: a database or storage that is down or full.

The same request succeeds later. Every door says so alike: 507 when there is no space, 503 when
nothing answers.
"""

from dataclasses import dataclass

from django.db import DatabaseError, OperationalError

from ..files.batch import OutcomeUnknown
from ..files.storage import StorageError, is_full

# What may be one; `outage_of` tells.
OUTAGES = (DatabaseError, OSError)


@dataclass(frozen=True, slots=True)
class Outage:
    """How an outage is answered: the status, and what is the matter and what to do about it."""

    status: int
    text: str


FULL = Outage(
    507,
    "There is no space left on the server, and nothing was written. Tell whoever runs it to make "
    "room, then send this again.",
)
# 503 would have programs send it again by themselves.
UNKNOWN = Outage(
    500,
    "The connection to the database broke while this was saved, so it is not known whether it was. "
    "Look for it in the list before you send it again.",
)
DOWN = Outage(503, "The database or the storage does not answer. Try again in a moment.")


def outage_of(error: BaseException | None) -> Outage | None:
    """Return the outage that the error is of; None for a fault of ours."""
    if isinstance(error, OutcomeUnknown):
        return UNKNOWN
    if is_full(error):
        return FULL
    return DOWN if isinstance(error, OperationalError | StorageError) else None
