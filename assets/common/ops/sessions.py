"""Sessions in the database with a limit for their age and for idle time."""

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import UpdateError
from django.db import DatabaseError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from ..db.compiled import Instances
from ..files.storage import is_full

BEGAN, USED = "_began", "_used"
# How often the time of use is written within the idle limit.
WRITES_PER_LIMIT = 20


@Instances
def _sessions(keys: Collection[str]) -> QuerySet:
    return SessionStore.get_model_class().objects.filter(session_key__only=keys)


class SessionStore(db.SessionStore):
    """A session of a signed-in user ends SESSION_COOKIE_AGE seconds after it began, or
    SESSION_IDLE_AGE seconds after its last use. Requests without a session cost nothing.
    """

    # The data of a signed-in session as they were loaded.
    _loaded: dict[str, Any] | None = None

    def _validate_session_key(self, key: str | None) -> bool:
        """Return whether the key is well formed: PostgreSQL refuses some texts, such as NUL."""
        if not (key and key.isascii() and key.isalnum()):
            return False
        return bool(super()._validate_session_key(key))  # type: ignore[misc]

    def _get_session_from_db(self) -> Any:
        """Return the row of the session; None if there is none, or if it has expired."""
        for session in _sessions([self.session_key or ""]):
            if session.expire_date > timezone.now():
                return session
        self._session_key = None
        return None

    def load(self) -> dict[str, Any]:
        data = super().load()
        if SESSION_KEY not in data:
            return data
        now = time.time()
        began, used = data.get(BEGAN, now), data.get(USED, now)
        idle = settings.SESSION_IDLE_AGE
        if now - began > settings.SESSION_COOKIE_AGE or now - used > idle:
            with _ignoring_full_disk():
                self.delete(self.session_key)
            self._session_key = None
            return {}
        self._loaded = {**data}
        if BEGAN not in data or now - used > idle / WRITES_PER_LIMIT:
            self.modified = True
        return data

    def save(self, must_create: bool = False) -> None:
        data = self._get_session(no_load=must_create)  # type: ignore[attr-defined]
        if SESSION_KEY in data:
            now = time.time()
            data.setdefault(BEGAN, now)
            data[USED] = now
        # With a full disk, signed-in users can still read.
        only_used = self._loaded is not None and _without_times(data) == _without_times(
            self._loaded
        )
        with _ignoring_full_disk() if only_used else nullcontext():
            super().save(must_create)


def _without_times(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name not in (BEGAN, USED)}


@contextmanager
def _ignoring_full_disk() -> Iterator[None]:
    """Skip the writes of the block if the disk is full."""
    try:
        with transaction.atomic():
            yield
    except (DatabaseError, UpdateError) as error:
        # Django raises UpdateError for any failure, as if the session was deleted meanwhile.
        if not (is_full(error) or is_full(error.__context__)):
            raise
