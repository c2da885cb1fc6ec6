"""The only writer of uploads."""

from collections.abc import Collection, Iterable
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core.files.base import File
from django.db import transaction
from django.db.models import Count, Sum
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.translation import gettext as _, ngettext

from ..accounts.models import User
from ..accounts.queries import locked
from ..common.errors import Code, refuse, refuse_if
from ..common.files.archives.check import passed_check
from ..common.files.batch import file_batch
from ..common.files.pending import delete_on_commit
from ..permissions.access import check_may_register
from .models import Upload

LIFETIME = timedelta(days=1)
# How many expired uploads each new one deletes: more than one, so that they become fewer.
MAX_EXPIRED_PER_UPLOAD = 10


def stage(user: User, file: File) -> Upload:
    """Store a file for a form and return its upload.

    Raises:
        Refused: the user may not register, or has too many files staged already.
    """
    refuse_if(check_may_register(user))
    discard_expired(MAX_EXPIRED_PER_UPLOAD)
    _check_room(user, file.size or 0)
    file.seek(0)
    with file_batch("uploads") as files:
        stored = files.save("", file)
        upload = Upload(
            id=files.key,
            user=user,
            name=(file.name or "file")[-255:],
            file=stored.name,
            file_checksum=stored.checksum,
            file_size=stored.size,
            passed=passed_check(file),
        )
        with files.commit():
            # Uploads of one user that arrive together are counted one after the other.
            locked(user)
            _check_room(user, stored.size)
            upload.save(force_insert=True)
    file.seek(0)
    return upload


def staged_totals(user: User) -> tuple[int, int]:
    """Return how many files of the user are staged, and how many bytes they have in all."""
    staged = Upload.objects.filter(user=user, created_at__gt=timezone.now() - LIFETIME)
    found = staged.aggregate(count=Count("pk"), total=Sum("file_size"))
    return found["count"], found["total"] or 0


def _check_room(user: User, size: int) -> None:
    count, total = staged_totals(user)
    if count < settings.MAX_WAITING_FILES and total + size <= settings.MAX_WAITING_SIZE:
        return
    message = _(
        "You have uploaded %(count)s (%(size)s) for forms that you have not submitted; the limit "
        "is %(max_count)s files and %(max_size)s in all. Submit those forms, or discard the files "
        "on your account page. They are deleted after a day."
    )
    values = {
        "count": ngettext("%(number)d file", "%(number)d files", count) % {"number": count},
        "size": filesizeformat(total),
        "max_count": settings.MAX_WAITING_FILES,
        "max_size": filesizeformat(settings.MAX_WAITING_SIZE),
    }
    raise refuse(Code.BAD_REQUEST, message % values)


def discard_all(user: User) -> None:
    """Delete all uploads of the user."""
    with transaction.atomic():
        discard(Upload.objects.filter(user=user))


def uploads_of(user: User, ids: Collection[UUID]) -> list[Upload]:
    """Return the user's own uploads among `ids`, each once, in that order."""
    found = Upload.objects.filter(user=user, pk__any=list(ids)).in_bulk()
    return [found[pk] for pk in dict.fromkeys(ids) if pk in found]


@transaction.atomic
def discard(uploads: Iterable[Upload]) -> None:
    """Delete uploads and their files, once the transaction commits."""
    names = {upload.pk: str(upload.file.name) for upload in uploads}
    if names:
        Upload.objects.filter(pk__any=list(names)).delete()
        delete_on_commit(names.values())


def discard_expired(limit: int | None = None) -> None:
    """Delete the oldest `limit` expired uploads of all users, or every expired one."""
    old = Upload.objects.filter(created_at__lt=timezone.now() - LIFETIME)
    discard(old.order_by("created_at")[:limit])
