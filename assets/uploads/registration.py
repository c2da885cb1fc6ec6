"""The only writer of uploads."""

import uuid
from collections.abc import Collection, Iterable
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core.files.base import File
from django.db import transaction
from django.db.models import Count, Sum
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from ..accounts.models import User
from ..accounts.queries import locked
from ..common.errors import Code, refuse, refuse_if
from ..common.files.archives.check import passed_check
from ..common.files.batch import file_batch
from ..common.files.pending import delete_on_commit
from ..permissions.access import check_may_register
from .models import Upload

LIFETIME = timedelta(days=1)
# How many old ones are forgotten by who sends one: more than one, so that they become fewer.
MOST_FORGOTTEN = 10


def keep(user: User, file: File) -> Upload:
    """Keep a file until its form is registered.

    Raises:
        Refused: the user may not register, or too much waits for it already.
    """
    refuse_if(check_may_register(user))
    forget_old(MOST_FORGOTTEN)
    _check_room(user, file.size or 0)
    key = uuid.uuid4()
    file.seek(0)
    name = f"uploads/{key}"
    with file_batch([name]) as files:
        stored = files.save(name, file)
        upload = Upload(
            id=key,
            user=user,
            name=(file.name or "file")[-255:],
            file=stored.name,
            file_checksum=stored.checksum,
            file_size=stored.size,
            passed=passed_check(file),
        )
        with files.commit():
            # Files that come at the same time: each waits for the one before.
            locked(user)
            _check_room(user, stored.size)
            upload.save(force_insert=True)
    file.seek(0)
    return upload


def waiting_of(user: User) -> tuple[int, int]:
    """Return how many of the user's files wait for a form, and how many bytes they have."""
    waiting = Upload.objects.filter(user=user, created_at__gt=timezone.now() - LIFETIME)
    found = waiting.aggregate(count=Count("pk"), total=Sum("file_size"))
    return found["count"], found["total"] or 0


def _check_room(user: User, size: int) -> None:
    count, total = waiting_of(user)
    if count < settings.MAX_WAITING_FILES and total + size <= settings.MAX_WAITING_SIZE:
        return
    raise refuse(
        Code.BAD_REQUEST,
        f"{count} of your files ({filesizeformat(total)}) wait to be registered already; at most "
        f"{settings.MAX_WAITING_FILES} may, with {filesizeformat(settings.MAX_WAITING_SIZE)} in "
        "all. Register them, or discard them on your account's page to free their space; they are "
        "forgotten after a day.",
    )


def discard_all(user: User) -> None:
    """Forget all of the user's files that wait for a form."""
    with transaction.atomic():
        forget(Upload.objects.filter(user=user))


def uploads_of(user: User, ids: Collection[UUID]) -> list[Upload]:
    """Return those of the user's uploads, each once, in the order of `ids`; no others'."""
    found = Upload.objects.filter(user=user, pk__any=list(ids)).in_bulk()
    return [found[pk] for pk in dict.fromkeys(ids) if pk in found]


@transaction.atomic
def forget(uploads: Iterable[Upload]) -> None:
    """Delete uploads and their files, once the transaction commits."""
    names = {upload.pk: str(upload.file.name) for upload in uploads}
    if names:
        Upload.objects.filter(pk__any=list(names)).delete()
        delete_on_commit(names.values())


def forget_old(limit: int | None = None) -> None:
    """Forget what nobody registered within a day, whoever sent it: the oldest `limit`, or all."""
    old = Upload.objects.filter(created_at__lt=timezone.now() - LIFETIME)
    forget(old.order_by("created_at")[:limit])
