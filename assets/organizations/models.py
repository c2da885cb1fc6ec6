"""Organization, User and ApiToken."""

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from .rules import MAX_ID_LENGTH, second_factor_required, validate_organization_id


class Organization(models.Model):
    """A member of the consortium. Its id is what specs call an organisation."""

    id = models.CharField(
        primary_key=True,
        max_length=MAX_ID_LENGTH,
        validators=[validate_organization_id],
        help_text="Short and lasting, such as MyOrg1MSP. It cannot be changed later.",
    )
    name = models.CharField(
        max_length=100, blank=True, help_text="What people call it, such as Institut Curie."
    )
    creation_date = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.id})" if self.name else self.id


class Role(models.TextChoices):
    """What a user may do in its own organisation."""

    ADMIN = "admin", "admin: registers assets and manages users"
    MEMBER = "member", "member: registers assets"
    VIEWER = "viewer", "viewer: reads and downloads"


class User(AbstractUser):
    """A person or a program; acts for the one organisation that it belongs to.

    A platform superuser may belong to none: it sees everything, and registers or downloads only
    as a member of an organisation.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, null=True, blank=True, related_name="users"
    )
    role = models.CharField(max_length=10, choices=Role, default=Role.MEMBER)
    # How the user likes pages, such as the columns of a list.
    preferences = models.JSONField(default=dict, blank=True, editable=False)
    # Since when signing in takes a code beside the password; None: it does not.
    second_factor_at = models.DateTimeField(null=True, blank=True, editable=False)

    @property
    def acts_for(self) -> str:
        """The id of the organisation that owns what this user registers."""
        if self.organization_id is None:
            raise ValueError(f"{self.username} belongs to no organisation and acts for none.")
        return self.organization_id

    def get_session_auth_hash(self) -> str:
        """Return what a session keeps of how its user signed in; once it differs, the session ends.

        A password differs when it is set, and a second factor when it is set up, reset, or asked
        for by the settings.
        """
        plain = super().get_session_auth_hash()
        required = second_factor_required(self)
        if self.second_factor_at is None and not required:
            return plain
        factor = f"{plain} {self.second_factor_at and self.second_factor_at.timestamp()} {required}"
        return salted_hmac("second-factor", factor, algorithm="sha256").hexdigest()

    class Meta(AbstractUser.Meta):
        constraints = [
            # A user without organisation acts for nobody, which only a superuser may do.
            models.CheckConstraint(
                condition=Q(is_superuser=True) | Q(organization__isnull=False),
                name="user_has_organization",
                violation_error_message="Choose the organisation that the user belongs to.",
            )
        ]


class ApiToken(models.Model):
    """A secret that signs its user in. Only its digest is kept; the secret is shown once."""

    class Kind(models.TextChoices):
        IMPLICIT = "implicit", "made by signing in with a password"
        NAMED = "named", "made on purpose"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.NAMED)
    note = models.CharField(
        max_length=100, blank=True, help_text="What the token is for, such as 'training notebook'."
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="apitoken_expires_later"
            )
        ]

    def __str__(self) -> str:
        return self.note or f"{self.kind} token of {self.created_at:%Y-%m-%d %H:%M}"
