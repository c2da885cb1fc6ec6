"""The only writer of runners."""

import secrets

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from ...common.audit import Action, SubjectKind, log_event
from ..models import Organization, Runner, User
from .rows import insert
from .tokens import TOKEN_BYTES, token_digest


def check_runner(organization: Organization, *, name: str) -> tuple[Runner, str]:
    """Return a runner, not yet saved, and the secret of its token: 40 hexadecimal digits.

    Raises:
        ValidationError: keyed by field (no name, or a runner of the organisation has it).
    """
    secret = secrets.token_hex(TOKEN_BYTES)
    runner = Runner(organization=organization, name=name.strip(), digest=token_digest(secret))
    runner.full_clean(exclude=["organization"])
    return runner, secret


def create_runner(
    organization: Organization, *, name: str, actor: User | None = None
) -> tuple[Runner, str]:
    """Create a runner; return it with the secret of its token, which is stored nowhere.

    Raises:
        ValidationError: see `check_runner`.
    """
    runner, secret = check_runner(organization, name=name)
    with transaction.atomic():
        insert(runner)
        _log_runner_event(Action.CREATED, runner, actor)
    return runner, secret


@transaction.atomic
def revoke_runner(runner: Runner, actor: User | None = None) -> None:
    """Revoke a runner at once. What it runs now is lost when its leases end.

    Raises:
        ValidationError: it is revoked already.
    """
    now = timezone.now()
    if not Runner.objects.filter(pk=runner.pk, revoked_at=None).update(revoked_at=now):
        raise ValidationError(_("This runner is revoked already."))
    runner.revoked_at = now
    _log_runner_event(Action.REMOVED, runner, actor)


def _log_runner_event(action: Action, runner: Runner, actor: User | None) -> None:
    log_event(
        action,
        SubjectKind.RUNNER,
        key=runner.pk,
        name=runner.name,
        actor=actor,
        organization_id=runner.organization_id,
    )
