"""Organization, User, ApiToken, Runner, FailedSignIn, RecoveryCode and ExternalIdentity."""

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

from ..common.audit import Agent
from ..common.db.fields import ChoiceField
from ..common.text.moments import utc
from ..common.text.names import MAX_KEY_LENGTH, SEPARATOR, check_scripts, name_key
from .rules import MAX_ID_LENGTH, check_username, second_factor_required, validate_organization_id


def name_key_field() -> models.CharField:
    """Return a unique column for the key that names which look alike share; None for no name.

    Names that looked alike before the column existed have keys of their own: the shared key, a
    separator and a suffix.
    """
    return models.CharField(
        max_length=MAX_KEY_LENGTH + 100, unique=True, null=True, blank=True, editable=False
    )


def alike(name: str, *columns: str) -> Q:
    """Return the condition of rows whose name, in one of the columns, looks like this one."""
    key = name_key(name)
    either = [Q(**{one: key}) | Q(**{f"{one}__startswith": f"{key}{SEPARATOR}"}) for one in columns]
    return reduce(or_, either)


def check_new_name(
    model: Any, field: str, name: str, columns: Collection[str], *, taken: Any
) -> None:
    """Return nothing if no row has this name, or one that looks like it, in one of the columns.

    Raises:
        ValidationError: keyed by `field`; `taken` is the message if a row has such a name.
    """
    if name and model.objects.filter(alike(name, *columns)).exists():
        raise ValidationError({field: ValidationError(taken, code="unique")})
    try:
        check_scripts(name)
    except ValidationError as error:
        raise ValidationError({field: error}) from error


class Organization(models.Model):
    """A member of the consortium; assets and permissions refer to it by its id."""

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
            taken = _(
                "An organisation with that name, or one that looks like it, already exists. "
                "Choose another."
            )
            # Pages show the id or the name, so that neither may look like another's.
            columns = ("id_key", "name_key")
            check_new_name(Organization, "id", self.id, columns, taken=taken)
            check_new_name(Organization, "name", self.name, columns, taken=taken)


class Role(models.TextChoices):
    """A user's rights in its own organisation."""

    ADMIN = "admin", _("admin: registers assets and manages users")
    MEMBER = "member", _("member: registers assets")
    VIEWER = "viewer", _("viewer: reads and downloads")


# Roles in a sentence; their labels also say what they may do.
ROLE_NAMES = {Role.ADMIN: _("admin"), Role.MEMBER: _("member"), Role.VIEWER: _("viewer")}


class User(AbstractUser):
    """A person or a program that acts for one organisation.

    A platform superuser may belong to none: it then sees everything, but registers and downloads
    nothing.
    """

    organization = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="users",
        verbose_name=_("organisation"),
    )
    role = ChoiceField(_("role"), max_length=10, choices=Role, default=Role.MEMBER)
    # Such as the columns of a list.
    preferences = models.JSONField(default=dict, blank=True, editable=False)
    # When the second factor was set up; None: signing in requires no code.
    second_factor_at = models.DateTimeField(null=True, blank=True, editable=False)
    name_key = name_key_field()

    @property
    def role_name(self) -> str:
        """The role in one translated word."""
        return str(ROLE_NAMES[Role(self.role)])

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
            taken = _(
                "A user with that name, or one that looks like it, already exists. Choose another."
            )
            check_new_name(User, "username", self.username, ("name_key",), taken=taken)
            try:
                check_username(self.username)
            except ValidationError as error:
                raise ValidationError({"username": error}) from error

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.make_keys()
        super().save(*args, **kwargs)

    def get_session_auth_hash(self) -> str:
        """Return the digest that a session stores; the session ends once the digest changes.

        It changes when the password is set, and when the second factor is set up, reset or
        required by the settings.
        """
        plain = super().get_session_auth_hash()
        required = second_factor_required(self)
        if self.second_factor_at is None and not required:
            return plain
        factor = f"{plain} {self.second_factor_at and self.second_factor_at.timestamp()} {required}"
        return salted_hmac("second-factor", factor, algorithm="sha256").hexdigest()

    class Meta(AbstractUser.Meta):
        constraints = [
            # Only a superuser may belong to no organisation.
            models.CheckConstraint(
                condition=Q(is_superuser=True) | Q(organization__isnull=False),
                name="user_has_organization",
                violation_error_message=_("Choose the organisation that the user belongs to."),
            )
        ]


class ApiToken(models.Model):
    """A secret that signs its user in. Only its digest is stored; the secret is shown once."""

    class Kind(models.TextChoices):
        IMPLICIT = "implicit", _("made by signing in with a password")
        NAMED = "named", _("made on purpose")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="api_tokens", verbose_name=_("user")
    )
    kind = ChoiceField(_("kind"), max_length=10, choices=Kind, default=Kind.NAMED)
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


class Runner(models.Model):
    """A program on an organisation's machine, which runs what is registered to run there.

    Only its token's digest is stored. A revoked runner stays: its name stands at what it ran.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        Organization, models.PROTECT, related_name="runners", verbose_name=_("organisation")
    )
    name = models.CharField(_("name"), max_length=100, help_text=_("Such as its machine's name."))
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("creation date"), default=timezone.now, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)
    last_seen = models.DateTimeField(_("last seen"), null=True, editable=False)  # asked for work
    version = models.CharField(_("version"), max_length=50, blank=True, editable=False)
    engine = models.CharField(_("engine"), max_length=50, blank=True, editable=False)
    has_data_root = True  # as its request says; no column

    class Meta:
        verbose_name, verbose_name_plural = _("runner"), _("runners")
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="runner_has_name"),
            models.UniqueConstraint(
                fields=["organization", "name"],
                condition=Q(revoked_at=None),
                name="runner_one_of_name",
                violation_error_message=_(
                    "Your organisation has a runner with this name. Choose another."
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def agent(self) -> Agent:
        """Who acts when the runner does."""
        return Agent(self.organization_id, f"runner {self.name}")


class FailedSignIn(models.Model):
    """The recent failed sign-ins of one name from one address, or of all names from an address.

    The row for all names has a blank name. Names that no user has are counted too, so that a lock
    does not reveal which names exist.
    """

    address = models.CharField(max_length=64)
    username = models.CharField(max_length=150, blank=True)
    failures = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField(default=timezone.now)
    # When these failures were last logged in the audit trail.
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
        return f"{self.username or 'all names'} from {self.address}"


class RecoveryCode(models.Model):
    """A code that signs a user in once without the phone. Only its digest is stored."""

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
    """A person's account at the OpenID Connect provider; without a user it awaits approval.

    `issuer` and `subject` identify it; name and e-mail address are those of the first sign-in.
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
    # The organisation that the provider claims, for a person who awaits approval.
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
