"""`/livez` and `/readyz`, for whoever keeps the server running."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache as once

from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

# Seconds: until a check counts as failed, and for which an answer is given again.
PATIENCE = 3
FRESH = 2
# What hangs keeps its thread; more threads than these never wait.
_checkers = ThreadPoolExecutor(4, thread_name_prefix="readiness")


@require_safe
@never_cache
def live(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("OK", content_type="text/plain; charset=utf-8")


@require_safe
@never_cache
def ready(request: HttpRequest) -> HttpResponse:
    """The database answers, has all migrations and triggers, storage can be written; or 503.

    The text names what is missing.

    Anybody may ask: so it is looked at every `FRESH` seconds at most, and waited for `PATIENCE`.
    """
    broken = cache.get("not-ready")
    if broken is None:
        broken = _broken()
        cache.set("not-ready", broken, FRESH)
    text = f"not ready: {', '.join(broken)}" if broken else "OK"
    return HttpResponse(
        text, status=503 if broken else 200, content_type="text/plain; charset=utf-8"
    )


class Probes:
    """Answers probes by any host name: they come by an address that no ALLOWED_HOSTS lists."""

    paths = {"/livez": live, "/readyz": ready}

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.paths.get(request.path_info, self.get_response)(request)


def _broken() -> list[str]:
    """Look at everything at once; return the names of what does not work."""
    running = [_checkers.submit(check) for check in (_database, _storage)]
    wait(running, PATIENCE)
    database, storage = running
    broken = []
    if not database.done() or database.exception():
        broken.append("database")
    else:
        broken += database.result() or []
    if not storage.done() or storage.exception():
        broken.append("storage")
    return broken


def _database() -> list[str]:
    """Return the names of what the database lacks; raise if nothing answers."""
    try:
        return [name for name, is_there in database_checks.items() if not is_there()]
    finally:
        connection.close()


def _is_migrated() -> bool:
    """Return whether every migration of this version is applied."""
    return _migrations() <= MigrationRecorder(connection).applied_migrations().keys()


@once
def _migrations() -> set[tuple[str, str]]:
    return set(MigrationLoader(None).disk_migrations)


def _storage() -> None:
    default_storage.save(f"readiness/{uuid.uuid4()}", ContentFile(b"ready"))
    # Others as well: who was killed in between left his.
    for name in default_storage.listdir("readiness")[1]:
        default_storage.delete(f"readiness/{name}")


# What the database must have, by what `/readyz` calls it; rooms above add theirs.
database_checks: dict[str, Callable[[], bool]] = {"migrations": _is_migrated}
