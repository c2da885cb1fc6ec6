"""Sessions in the database that end for good, however often they are used."""

import time
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db

BEGAN, USED = "_began", "_used"
# Which part of the idle limit passes before it is written that a session was used.
WRITES_PER_LIMIT = 20


class SessionStore(db.SessionStore):
    """A signed-in session ends SESSION_COOKIE_AGE seconds after it began, and SESSION_IDLE_AGE
    seconds after it was used last. Nothing here is asked of a request that uses no session.
    """

    def load(self) -> dict[str, Any]:
        data = super().load()
        if SESSION_KEY not in data:
            return data
        now = time.time()
        began, used = data.get(BEGAN, now), data.get(USED, now)
        idle = settings.SESSION_IDLE_AGE
        if now - began > settings.SESSION_COOKIE_AGE or now - used > idle:
            self.delete(self.session_key)
            self._session_key = None
            return {}
        if BEGAN not in data or now - used > idle / WRITES_PER_LIMIT:
            self.modified = True
        return data

    def save(self, must_create: bool = False) -> None:
        data = self._get_session(no_load=must_create)  # type: ignore[attr-defined]
        if SESSION_KEY in data:
            now = time.time()
            data.setdefault(BEGAN, now)
            data[USED] = now
        super().save(must_create)
