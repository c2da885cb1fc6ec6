"""Forms of organisations, users and tokens."""

from collections.abc import Callable
from copy import copy
from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from ..common.errors import TooManyAttempts
from ..common.forms.fields import text_field
from ..common.forms.layouts import CrispyLayoutMixin, Section
from .models import ApiToken, Organization, Role, User
from .registration import (
    change_role,
    create_organization,
    create_token,
    create_user,
    set_active,
    set_password,
    set_password_by_link,
)
from .rules import check_another, manages_all


class WriterForm(CrispyLayoutMixin, forms.Form):
    """A form whose `write` calls the writers that have the rules.

    `is_valid()` rehearses it in a transaction that is undone, so that `save()` meets nothing new.

    Args:
        actor: the user who acts.
        asset: the row that is changed, for forms that change one.
    """

    # What this form calls the fields that errors name otherwise.
    field_aliases: ClassVar[dict[str, str]] = {}

    def __init__(self, *args: Any, actor: Any, asset: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor, self.asset = actor, asset

    def write(self, row: Any) -> Any:
        """Write what `cleaned_data` says, to `row` if one is changed; return the row."""
        raise NotImplementedError

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if not self.errors:
            # The rehearsal changes a copy: the page still shows the row as it is.
            self._show_errors_of(lambda: self.write(copy(self.asset)))
        return values

    def _show_errors_of(self, write: Callable[[], Any]) -> None:
        try:
            with transaction.atomic():
                write()
                transaction.set_rollback(True)
        except ValidationError as error:
            self.show(error)

    def show(self, error: ValidationError) -> None:
        """Show what the writers refuse at the fields that it is about, or above the form."""
        keyed = error.error_dict if hasattr(error, "error_dict") else {}
        for key, errors in (keyed or {NON_FIELD_ERRORS: error.error_list}).items():
            name = self.field_aliases.get(key, key)
            self.add_error(name if name in self.fields else None, errors)

    def save(self) -> Any:
        with transaction.atomic():
            return self.write(self.asset)


ROLE_HELP = "It can be changed at any time. What the user registered stays as it is."


class OrganizationForm(WriterForm):
    """Adds an organisation to the consortium."""

    sections = (Section("", "id", "name"),)

    id = text_field(Organization, "id", label="Id")
    name = text_field(Organization, "name")

    def write(self, row: None) -> Organization:
        return create_organization(self.cleaned_data["id"], name=self.cleaned_data["name"])


def _password_field(**options: Any) -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": "new-password", "class": "vTextField"})
    return forms.CharField(widget=widget, strip=False, required=False, **options)


class UserForm(WriterForm):
    """Adds a user to the actor's organisation; a platform superuser chooses which."""

    username = text_field(User, "username")
    organization = forms.ModelChoiceField(
        Organization.objects.all(), required=False, label="Organisation"
    )
    role = forms.ChoiceField(choices=Role.choices, initial=Role.MEMBER)
    password = _password_field(
        help_text="Left blank, the user signs in by token only, until a password is set."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not manages_all(self.actor):
            # Not merely hidden: what is sent for it is not read.
            field = self.fields["organization"]
            field.disabled, field.initial = True, self.actor.organization_id

    def write(self, row: None) -> User:
        values = self.cleaned_data
        return create_user(
            values["username"],
            organization=values["organization"],
            role=values["role"],
            password=values.get("password") or None,
        )


class InviteForm(UserForm):
    """Adds a user who chooses its own password, by a link that the page shows."""

    password: Any = None
    role = forms.ChoiceField(
        choices=Role.choices, initial=Role.MEMBER, widget=forms.RadioSelect, help_text=ROLE_HELP
    )

    @property
    def sections(self) -> Any:  # type: ignore[override]
        # The organisation is told, not asked, where there is no choice.
        asked = [] if self.fields["organization"].disabled else ["organization"]
        return (Section("", "username", *asked, "role"),)


class UserChangeForm(WriterForm):
    """Changes a user's role, lets it in or keeps it out, sets its password."""

    field_aliases = {"password": "new_password"}

    role = forms.ChoiceField(choices=Role.choices)
    is_active = forms.BooleanField(
        label="Active",
        required=False,
        help_text="Whether the user may sign in. What it registered stays either way.",
    )
    new_password = _password_field(
        label="New password",
        help_text="Left blank, the password stays as it is. Set, it ends the user's sessions and "
        "revokes its tokens.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in {"role", "is_active"} & set(self.fields):
            self.fields[name].initial = getattr(self.asset, name, None)

    def write(self, row: User) -> User:
        values = {"role": row.role, "is_active": row.is_active, **self.cleaned_data}
        change_role(row, values["role"], self.actor)
        if values["is_active"] != row.is_active:
            set_active(row, values["is_active"], self.actor)
        if values.get("new_password"):
            self._check_another(row)
            set_password(row, values["new_password"], self.actor)
        return row

    def _check_another(self, user: User) -> None:
        try:
            check_another(self.actor, user)
        except ValidationError as error:
            raise ValidationError({"new_password": error}) from error


class RoleForm(UserChangeForm):
    """Changes a user's role and nothing else."""

    is_active: Any = None
    new_password: Any = None
    sections = ("role",)
    role = forms.ChoiceField(
        label="What the user may do",
        choices=Role.choices,
        widget=forms.RadioSelect,
        help_text=ROLE_HELP,
    )


class ActiveForm(UserChangeForm):
    """Lets a user in or keeps it out, and nothing else."""

    role: Any = None
    new_password: Any = None
    is_active = forms.BooleanField(required=False)


class TokenForm(WriterForm):
    """Makes an API token for the actor; its `secret` is known once it is saved."""

    sections = (Section("", "note", "days"),)

    note = text_field(ApiToken, "note")
    days = forms.IntegerField(
        label="Valid for days", min_value=1, max_value=3650, initial=90, help_text="1 to 3650."
    )

    def write(self, row: None) -> ApiToken:
        expires_at = timezone.now() + timedelta(days=self.cleaned_data["days"])
        token, self.secret = create_token(
            self.actor, expires_at=expires_at, note=self.cleaned_data["note"]
        )
        return token


def check_own_password(request: HttpRequest, password: str) -> None:
    """Return nothing if this is the password of the user who sends the request.

    Raises:
        ValidationError: it is not; counted like a sign-in that failed.
        TooManyAttempts: too many attempts failed before; the password was not looked at.
    """
    user: Any = request.user
    if authenticate(request, username=user.get_username(), password=password) != user:
        raise ValidationError("This is not your password.", code="password_incorrect")


def cleaned_own_password(request: HttpRequest, password: str) -> str:
    """Return the password if it is the user's own, for a form that asks for it.

    Raises:
        ValidationError: it is not, or too many attempts failed before.
    """
    try:
        check_own_password(request, password)
    except TooManyAttempts as error:
        raise ValidationError(str(error)) from error
    return password


class OwnPasswordForm(CrispyLayoutMixin, PasswordChangeForm):
    """Changes one's own password, which must be known."""

    sections = (Section("", "old_password", "new_password1", "new_password2", "keep_tokens"),)

    def __init__(self, *args: Any, request: Any, **kwargs: Any) -> None:
        super().__init__(request.user, *args, **kwargs)
        self.request = request

    keep_tokens = forms.BooleanField(
        required=False,
        label="Keep my API tokens",
        help_text="Otherwise they are revoked, and programs that use them are refused. Keep them "
        "only if you are sure that nobody else knows them.",
    )

    def clean_old_password(self) -> str:
        return cleaned_own_password(self.request, self.cleaned_data["old_password"])

    def save(self, commit: bool = True) -> User:
        keep = bool(self.cleaned_data.get("keep_tokens"))
        set_password(
            self.user,
            self.cleaned_data["new_password1"],
            self.user,
            keep_tokens=lambda token: keep,
        )
        return self.user


class NewPasswordForm(CrispyLayoutMixin, SetPasswordForm):
    """Sets a password by the link that has this secret."""

    sections = (Section("", "new_password1", "new_password2"),)

    def __init__(self, *args: Any, secret: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.secret = secret

    def save(self, commit: bool = True) -> User:
        set_password_by_link(self.user, self.secret, self.cleaned_data["new_password1"])
        return self.user
