"""Sessions in the database that end for good, however often they are used."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import UpdateError
from django.db import DatabaseError, transaction

from ..files.storage import is_full

BEGAN, USED = "_began", "_used"
# Which part of the idle limit passes before it is written that a session was used.
WRITES_PER_LIMIT = 20


class SessionStore(db.SessionStore):
    """A signed-in session ends SESSION_COOKIE_AGE seconds after it began, and SESSION_IDLE_AGE
    seconds after it was used last. Nothing here is asked of a request that uses no session.
    """

    # What was loaded of a session that is signed in.
    _kept: dict[str, Any] | None = None

    def _validate_session_key(self, key: str | None) -> bool:
        """Is it a key as we make them? A browser sends any text, and not all databases take all."""
        if not (key and key.isascii() and key.isalnum()):
            return False
        return bool(super()._validate_session_key(key))  # type: ignore[misc]

    def load(self) -> dict[str, Any]:
        data = super().load()
        if SESSION_KEY not in data:
            return data
        now = time.time()
        began, used = data.get(BEGAN, now), data.get(USED, now)
        idle = settings.SESSION_IDLE_AGE
        if now - began > settings.SESSION_COOKIE_AGE or now - used > idle:
            with _room_or_not():
                self.delete(self.session_key)
            self._session_key = None
            return {}
        self._kept = {**data}
        if BEGAN not in data or now - used > idle / WRITES_PER_LIMIT:
            self.modified = True
        return data

    def save(self, must_create: bool = False) -> None:
        data = self._get_session(no_load=must_create)  # type: ignore[attr-defined]
        if SESSION_KEY in data:
            now = time.time()
            data.setdefault(BEGAN, now)
            data[USED] = now
        # A full disk does not keep who is signed in from reading.
        only_used = self._kept is not None and _without_times(data) == _without_times(self._kept)
        with _room_or_not() if only_used else nullcontext():
            super().save(must_create)


def _without_times(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name not in (BEGAN, USED)}


@contextmanager
def _room_or_not() -> Iterator[None]:
    """Do without what the block writes where the disk is full."""
    try:
        with transaction.atomic():
            yield
    except (DatabaseError, UpdateError) as error:
        # Django takes whatever fails for a session that was deleted meanwhile.
        if not (is_full(error) or is_full(error.__context__)):
            raise
