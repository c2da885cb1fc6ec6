"""What is sent twice is done once: the keys by which a request is known again.

A form is known by the token that Django draws anew into each page, together with all that was
filled in; a program sends an `Idempotency-Key`. What a request makes and the row of its key are
written in one transaction, and a user has each key once. So of two requests at the same time one
writes, and the other waits for it, fails on the key, and finds what was made.

A form that was changed after it was sent is another request: its button registers what it shows.
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
from .models import IdempotencyKey

LIFETIME = timedelta(days=1)
# How many old rows are forgotten by who adds one: more than one, so that they become fewer.
MOST_FORGOTTEN = 10
# What must not happen twice. A change, such as a new name, may be made again: later it may be
# meant, for something else can have changed the same in between.
ONCE = frozenset([Action.REGISTERED, Action.CREATED, Action.CANCELED, Action.REMOVED])

TOKEN_FIELD = "csrfmiddlewaretoken"  # noqa: S105  the name of a field
# A token of a page begins with a random half; the cookie's, which all pages share, does not.
PAGE_TOKEN_LENGTH = 64
LONGEST_KEY = 255


class Repeated(Exception):
    """Another request with the same key has been carried out, and this one is rolled back."""


@dataclass(slots=True)
class Attempt:
    """A request that is carried out once: whose it is, its key, and a digest of what it asks."""

    user_id: Any
    key: str
    digest: str
    # The row that is its own, once it has written.
    pk: UUID | None = None

    def done(self) -> IdempotencyKey | None:
        """Return what a request with this key has done, this one included; None if nothing.

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
    """Return the attempt of a form that a signed-in user sends; None for any other request."""
    # Before a stranger's form is read, the view says that one signs in first.
    if request.method != "POST" or not request.user.is_authenticated:
        return None
    token = request.POST.get(TOKEN_FIELD, "")
    # A field that is judged while one types writes nothing.
    if len(token) != PAGE_TOKEN_LENGTH or "live" in request.POST:
        return None
    digest = digest_of(request.path, token, data=request.POST, files=request.FILES)
    return Attempt(request.user.pk, digest, digest)


def attempt_of_key(user: Any, key: str, digest: str) -> Attempt:
    """Return the attempt of a request with an `Idempotency-Key`.

    Raises:
        Refused: the key is too long.
    """
    if len(key) > LONGEST_KEY:
        raise refuse(
            Code.BAD_REQUEST,
            f"The Idempotency-Key is longer than {LONGEST_KEY} characters; send a UUID.",
        )
    return Attempt(user.pk, digest_of("Idempotency-Key", key), digest)


def digest_of(*texts: str, data: Any = None, files: Any = None) -> str:
    """Return a digest of texts, of JSON or the fields of a form, and of the content of files.

    It has a secret: who reads a row cannot try which password was sent.
    """
    digest = salted_hmac("idempotency", b"", algorithm="sha256")

    def add(value: Any) -> None:
        text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        digest.update(b"%d:" % len(text) + text)

    add(texts)
    if isinstance(data, QueryDict):
        data = {name: values for name, values in data.lists() if name != TOKEN_FIELD}
    if isinstance(data, Mapping):
        # The files of a form may be among its fields as well.
        sent_files = set(files or ())
        data = {name: value for name, value in data.items() if name not in sent_files}
    add(data)
    for name, found in sorted(files.lists()) if files else ():
        for file in found:
            add([name, file.name, _digest_of_file(file)])
    return digest.hexdigest()


def _digest_of_file(file: File) -> str:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()


def settle(action: str, kind: str, subjects: Iterable[object], result: str = Result.DONE) -> None:
    """Write the row of the request's key, in the transaction that does what was asked.

    Of what a request does, the first thing that must not happen twice counts: registering a plan
    is that, its tasks follow.

    Raises:
        Repeated: another request with the key has done it.
    """
    attempt: Attempt | None = getattr(current_request(), "attempt", None)
    if attempt is None or action not in ONCE or result != Result.DONE:
        return
    # A transaction that is tried again has lost its row.
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
        raise Repeated from error
    attempt.pk = row.pk
    transaction.on_commit(_forget_old, robust=True)


def _forget_old() -> None:
    expired = IdempotencyKey.objects.filter(created_at__lt=timezone.now() - LIFETIME)
    if keys := list(expired.order_by("created_at").values_list("pk", flat=True)[:MOST_FORGOTTEN]):
        old = IdempotencyKey.objects.filter(pk__in=keys)
        with suppress(DatabaseError):
            old.delete()
