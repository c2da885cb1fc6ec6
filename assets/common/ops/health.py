"""`/livez` and `/readyz`: whether the process lives, and whether it can serve requests."""

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

# Seconds until a check counts as failed.
PATIENCE = 3
# Seconds for which an answer is repeated, and for which a storage that could be written counts as
# writable: writing costs more than asking the database, and with S3 it costs money.
FRESH, STORAGE_FRESH = 2, 30
_ANSWER, _STORAGE = "readyz", "readyz-storage"
# A check that hangs occupies its thread; no more than these ever wait.
_checkers = ThreadPoolExecutor(4, thread_name_prefix="readiness")


@require_safe
@never_cache
def live(request: HttpRequest) -> HttpResponse:
    """Answer 200: the process is alive."""
    return HttpResponse("OK", content_type="text/plain; charset=utf-8")


@require_safe
@never_cache
def ready(request: HttpRequest) -> HttpResponse:
    """Answer 200 if the database has all migrations and triggers and storage is writable, else 503.

    The text names what fails. Anybody may ask, so an answer is repeated for `FRESH` seconds.
    """
    broken = cache.get(_ANSWER)
    if broken is None:
        broken = _broken()
        cache.set(_ANSWER, broken, FRESH)
    text = f"not ready: {', '.join(broken)}" if broken else "OK"
    return HttpResponse(
        text, status=503 if broken else 200, content_type="text/plain; charset=utf-8"
    )


class Probes:
    """Middleware that answers probes for any host name, also those not in ALLOWED_HOSTS."""

    paths = {"/livez": live, "/readyz": ready}

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.paths.get(request.path_info, self.get_response)(request)


def _broken() -> list[str]:
    """Run all checks at once; return the names of those that fail."""
    checks: dict[str, Callable[[], list[str]]] = {"database": _database}
    if not cache.get(_STORAGE):
        checks["storage"] = _storage
    running = {name: _checkers.submit(check) for name, check in checks.items()}
    wait(running.values(), PATIENCE)
    broken: list[str] = []
    for name, check in running.items():
        has_failed = not check.done() or check.exception()
        broken += [name] if has_failed else check.result()
    if "storage" in running and "storage" not in broken:
        cache.set(_STORAGE, True, STORAGE_FRESH)
    return broken


def _database() -> list[str]:
    """Return the names of the checks of the database that fail.

    Raises:
        DatabaseError: the database does not answer.
    """
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


def _storage() -> list[str]:
    """Write a file and delete it. Raises: OSError if the storage cannot be written."""
    default_storage.save(f"readiness/{uuid.uuid4()}", ContentFile(b"ready"))
    # Including those of processes that were killed before they could delete theirs.
    for name in default_storage.listdir("readiness")[1]:
        default_storage.delete(f"readiness/{name}")
    return []


# By the name that `/readyz` shows. `AssetsConfig.ready` adds the triggers.
database_checks: dict[str, Callable[[], bool]] = {"migrations": _is_migrated}
