"""Outages: a database or storage that does not respond or is full.

The same request succeeds later. The API and pages respond with 507 if there is no space, and 503
if the database or the storage does not respond.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import DatabaseError, OperationalError
from django.utils.translation import gettext_lazy as _

from ..files.batch import OutcomeUnknown
from ..files.storage import StorageError, is_full

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

# Exceptions that may be an outage; `outage_of` decides.
OUTAGES = (DatabaseError, OSError)


@dataclass(frozen=True, slots=True)
class Outage:
    """The response to an outage: its status, and a message with cause and remedy."""

    status: int
    message: "StrOrPromise"

    @property
    def text(self) -> str:
        """The message in the language of the request."""
        return str(self.message)


FULL = Outage(
    507,
    _(
        "The server has no space left, so nothing was saved. Ask your administrator to make room, "
        "then try again."
    ),
)
# Not 503, after which programs repeat the request by themselves.
UNKNOWN = Outage(
    500,
    _(
        "The connection to the database broke during the commit, so your changes may or may not "
        "be saved. Check the list before you try again."
    ),
)
DOWN = Outage(503, _("The database or the storage does not respond. Try again in a moment."))


def outage_of(error: BaseException | None) -> Outage | None:
    """Return the outage that caused the error; None if it is a bug."""
    if isinstance(error, OutcomeUnknown):
        return UNKNOWN
    if is_full(error):
        return FULL
    return DOWN if isinstance(error, OperationalError | StorageError) else None
