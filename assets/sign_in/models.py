"""FailedSignIn, RecoveryCode and ExternalIdentity."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from ..organizations.models import Organization


class FailedSignIn(models.Model):
    """How often signing in failed lately: of one name from one address, and of an address at all.

    The row of an address has a blank name, and counts the failures of all its names. A name need
    not be a user's, so that nobody learns from being locked out which names are.
    """

    address = models.CharField(max_length=64)
    username = models.CharField(max_length=150, blank=True)
    failures = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField(default=timezone.now)
    # When the audit trail last got an event of these failures.
    recorded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["address", "username"], name="failedsignin_unique")
        ]
        indexes = [
            models.Index(fields=["last_at"], name="failedsignin_last"),
            models.Index(fields=["username"], name="failedsignin_username"),
        ]

    def __str__(self) -> str:
        return f"{self.username or 'anybody'} from {self.address}"


class RecoveryCode(models.Model):
    """Signs a user in once, instead of the code of a telephone that is lost. Only its digest is
    kept."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recovery_codes"
    )
    digest = models.CharField(max_length=64, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "digest"], name="recoverycode_unique")
        ]

    def __str__(self) -> str:
        return f"recovery code of {self.user}"


class ExternalIdentity(models.Model):
    """Somebody whom the provider of sign-in knows; without a user it awaits approval.

    `issuer` and `subject` are what lasts; names and addresses are as they were at first.
    """

    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="identities",
    )
    # What the provider said of who awaits approval.
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    username = models.CharField(max_length=150)
    email = models.CharField(max_length=254, blank=True)
    first_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["username", "id"]
        constraints = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="externalidentity_unique")
        ]

    def __str__(self) -> str:
        return self.username
