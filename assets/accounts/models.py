"""Organization, User, ApiToken, FailedSignIn, RecoveryCode and ExternalIdentity."""

import uuid
from collections.abc import Collection
from functools import reduce
from operator import or_
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from ..common.text.moments import utc
from ..common.text.names import MAX_KEY_LENGTH, SEPARATOR, check_scripts, name_key
from .rules import MAX_ID_LENGTH, check_username, second_factor_required, validate_organization_id


def name_key_field() -> models.CharField:
    """Return the column with what names that look alike have in common; None for no name.

    The database holds each key once. Names that looked alike before it did have keys of their own:
    the key, a separator, and what tells them apart.
    """
    return models.CharField(
        max_length=MAX_KEY_LENGTH + 100, unique=True, null=True, blank=True, editable=False
    )


def alike(name: str, *columns: str) -> Q:
    """Return the condition of rows that have a name like this one in one of the columns."""
    key = name_key(name)
    either = [Q(**{one: key}) | Q(**{f"{one}__startswith": f"{key}{SEPARATOR}"}) for one in columns]
    return reduce(or_, either)


def check_new_name(model: Any, what: str, field: str, name: str, columns: Collection[str]) -> None:
    """Refuse a name that another row has, or one that looks like it.

    Raises:
        ValidationError: keyed by `field`.
    """
    if name and model.objects.filter(alike(name, *columns)).exists():
        message = (
            f"{what} with that name, or one that looks like it, already exists. Choose another."
        )
        raise ValidationError({field: ValidationError(message, code="unique")})
    try:
        check_scripts(name)
    except ValidationError as error:
        raise ValidationError({field: error}) from error


class Organization(models.Model):
    """A member of the consortium. Its id is what specs call an organisation."""

    id = models.CharField(
        _("ID"),
        primary_key=True,
        max_length=MAX_ID_LENGTH,
        validators=[validate_organization_id],
        help_text=_("A short, lasting ID, such as MyOrg1MSP. You cannot change it later."),
    )
    name = models.CharField(
        _("name"), max_length=100, blank=True, help_text=_("The full name, such as Institut Curie.")
    )
    creation_date = models.DateTimeField(_("creation date"), default=timezone.now, editable=False)
    id_key = name_key_field()
    name_key = name_key_field()

    class Meta:
        verbose_name, verbose_name_plural = _("organisation"), _("organisations")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.id})" if self.name else self.id

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.make_keys()
        super().save(*args, **kwargs)

    def make_keys(self) -> None:
        if self._state.adding and self.id_key is None:
            self.id_key = name_key(self.id)
            self.name_key = name_key(self.name) if self.name else None

    def clean(self) -> None:
        """Refuse an id or a name that another organisation has, or one that looks like it."""
        self.make_keys()
        if self._state.adding:
            # Pages show one or the other.
            columns = ("id_key", "name_key")
            check_new_name(Organization, "An organisation", "id", self.id, columns)
            check_new_name(Organization, "An organisation", "name", self.name, columns)


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
        Organization,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="users",
        verbose_name=_("organisation"),
    )
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.MEMBER)
    # How the user likes pages, such as the columns of a list.
    preferences = models.JSONField(default=dict, blank=True, editable=False)
    # Since when signing in takes a code beside the password; None: it does not.
    second_factor_at = models.DateTimeField(null=True, blank=True, editable=False)
    name_key = name_key_field()

    @property
    def acts_for(self) -> str:
        """The id of the organisation that owns what this user registers."""
        if self.organization_id is None:
            raise ValueError(f"{self.username} belongs to no organisation and acts for none.")
        return self.organization_id

    def make_keys(self) -> None:
        if self._state.adding and self.name_key is None:
            self.name_key = name_key(self.username)

    def clean(self) -> None:
        """Refuse a name that another user has, or one that looks like it."""
        super().clean()
        self.make_keys()
        if self._state.adding:
            check_new_name(User, "A user", "username", self.username, ("name_key",))
            try:
                check_username(self.username)
            except ValidationError as error:
                raise ValidationError({"username": error}) from error

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.make_keys()
        super().save(*args, **kwargs)

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
    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="api_tokens", verbose_name=_("user")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.NAMED)
    note = models.CharField(
        _("note"),
        max_length=100,
        blank=True,
        help_text=_("What the token is for, such as 'training notebook'."),
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("creation date"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expiry date"))

    class Meta:
        verbose_name, verbose_name_plural = _("API token"), _("API tokens")
        ordering = ["-created_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="apitoken_expires_later"
            )
        ]

    def __str__(self) -> str:
        return self.note or f"{self.kind} token of {utc(self.created_at)}"


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
