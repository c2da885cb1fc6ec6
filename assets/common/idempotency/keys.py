"""Idempotency keys, which identify requests that are sent twice.

The key of a form is the CSRF token that Django renders anew into each page, together with all
values; a program sends an `Idempotency-Key`. A request's changes and the row of its key are written
in one transaction, and the key is unique for each user. So one of two simultaneous requests writes,
and the other waits, violates the constraint, and finds the result of the first.

A form that was changed after it was submitted is another request.
"""

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from django.core.files.base import File
from django.db import DatabaseError, IntegrityError, transaction
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.crypto import salted_hmac

from ..audit import Action, Result, current_request
from ..errors import Code, refuse
from ..large_json import LargeItems
from .models import IdempotencyKey

LIFETIME = timedelta(days=1)
# Expired rows that are deleted for each new row; more than one, so that they become fewer.
MAX_EXPIRED = 10
# Actions that must not happen twice. A change, such as a new name, can be repeated: the value may
# have changed meanwhile, so the repetition may be intended.
ONCE = frozenset([Action.REGISTERED, Action.CREATED, Action.CANCELED, Action.REMOVED])

TOKEN_FIELD = "csrfmiddlewaretoken"  # noqa: S105  the name of a field
# The token of a page is masked with a random half, unlike the cookie, which all pages share.
PAGE_TOKEN_LENGTH = 64
MAX_KEY_LENGTH = 255


class AlreadyProcessed(Exception):
    """Another request with the same key was committed, and this one is rolled back."""


@dataclass(slots=True)
class Attempt:
    """A request that is processed once: its user, its key, and a digest of its content."""

    user_id: Any
    key: str
    digest: str
    # The key of its row, once it is written.
    pk: UUID | None = None

    def result(self) -> IdempotencyKey | None:
        """Return the row of a processed request with this key, which may be this one, or None.

        Raises:
            Refused: the key was used for another request.
        """
        row = IdempotencyKey.objects.filter(user_id=self.user_id, key=self.key).first()
        if row is not None and row.digest != self.digest:
            raise refuse(
                Code.KEY_REUSED,
                "This Idempotency-Key was used for a request with other content. Send each "
                "request with a new key, and the same key only with the same content.",
                key=row.subjects[0] if row.subjects else None,
            )
        return row


def attempt_of_form(request: HttpRequest) -> Attempt | None:
    """Return the attempt of a form of a signed-in user; None for any other request."""
    # Forms of others are not read: the view redirects to the sign-in page.
    if request.method != "POST" or not request.user.is_authenticated:
        return None
    token = request.POST.get(TOKEN_FIELD, "")
    # Live validation writes nothing.
    if len(token) != PAGE_TOKEN_LENGTH or "live" in request.POST:
        return None
    digest = digest_of(request.path, token, data=request.POST, files=request.FILES)
    return Attempt(request.user.pk, digest, digest)


def attempt_of_key(user: Any, key: str, digest: str) -> Attempt:
    """Return the attempt of a request with an `Idempotency-Key`.

    Raises:
        Refused: the key is too long.
    """
    if len(key) > MAX_KEY_LENGTH:
        raise refuse(
            Code.BAD_REQUEST,
            f"The Idempotency-Key is longer than {MAX_KEY_LENGTH} characters; send a UUID.",
        )
    return Attempt(user.pk, digest_of("Idempotency-Key", key), digest)


def digest_of(*texts: str, data: Any = None, files: Any = None) -> str:
    """Return a digest of texts, of JSON or form fields, and of the content of files.

    It is keyed, so that no one can guess a password from a stored digest.
    """
    digest = salted_hmac("idempotency", b"", algorithm="sha256")

    def add(value: Any) -> None:
        text = orjson.dumps(value, default=_digest_of_items, option=orjson.OPT_SORT_KEYS)
        digest.update(b"%d:" % len(text) + text)

    add(texts)
    if isinstance(data, QueryDict):
        data = {name: values for name, values in data.lists() if name != TOKEN_FIELD}
    if isinstance(data, Mapping):
        # DRF has the files among the fields.
        sent_files = set(files or ())
        data = {name: value for name, value in data.items() if name not in sent_files}
    add(data)
    for name, found in sorted(files.lists()) if files else ():
        for file in found:
            add([name, file.name, _digest_of_file(file)])
    return digest.hexdigest()


def _digest_of_items(items: Any) -> str:
    """Return a digest of a large body, in whose place its items are. Only equal bytes are equal."""
    if not isinstance(items, LargeItems):
        raise TypeError
    return items.digest()


def _digest_of_file(file: File) -> str:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()


def record_result(
    action: str, kind: str, subjects: Iterable[object], result: str = Result.DONE
) -> None:
    """Write the row of the request's key, in the transaction of the request.

    The first action that must not happen twice counts: a plan is registered before its tasks.

    Raises:
        AlreadyProcessed: another request with the key was committed.
    """
    attempt: Attempt | None = getattr(current_request(), "attempt", None)
    if attempt is None or action not in ONCE or result != Result.DONE:
        return
    # A transaction that was rolled back and retried has lost its row.
    if attempt.pk and IdempotencyKey.objects.filter(pk=attempt.pk).exists():
        return
    row = IdempotencyKey(
        user_id=attempt.user_id,
        key=attempt.key,
        digest=attempt.digest,
        action=action,
        kind=kind,
        subjects=[str(subject) for subject in subjects],
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise AlreadyProcessed from error
    attempt.pk = row.pk
    transaction.on_commit(_delete_expired, robust=True)


def _delete_expired() -> None:
    expired = IdempotencyKey.objects.filter(created_at__lt=timezone.now() - LIFETIME)
    if keys := list(expired.order_by("created_at").values_list("pk", flat=True)[:MAX_EXPIRED]):
        old = IdempotencyKey.objects.filter(pk__in=keys)
        with suppress(DatabaseError):
            old.delete()
