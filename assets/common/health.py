"""`/livez` and `/readyz`, for whoever keeps the server running."""

import uuid

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


@require_safe
@never_cache
def live(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("OK", content_type="text/plain; charset=utf-8")


@require_safe
@never_cache
def ready(request: HttpRequest) -> HttpResponse:
    """The database answers and storage can be written; otherwise 503 says which does not."""
    broken = [
        name for name, works in (("database", _database), ("storage", _storage)) if not works()
    ]
    text = f"not ready: {', '.join(broken)}" if broken else "OK"
    return HttpResponse(
        text, status=503 if broken else 200, content_type="text/plain; charset=utf-8"
    )


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _storage() -> bool:
    try:
        name = default_storage.save(f"readiness/{uuid.uuid4()}", ContentFile(b"ready"))
        default_storage.delete(name)
    except OSError:
        return False
    return True
