"""Forms of users."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from ...common.forms.fields import text_field
from ...common.forms.layouts import Section
from ..models import Organization, Role, User
from ..registration.identities import approve
from ..registration.passwords import set_password
from ..registration.users import change_role, create_user, set_active
from ..rules import check_another, manages_all
from .base import WriterForm

ROLE_HELP = "It can be changed at any time. What the user registered stays as it is."


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
    def sections(self) -> Any:
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


class ApproveForm(WriterForm):
    """Lets in somebody who awaits approval, as a new user."""

    username = text_field(User, "username")
    organization = forms.ModelChoiceField(
        Organization.objects.all(), label="Organisation", required=False
    )
    role = forms.ChoiceField(
        choices=Role.choices,
        initial=Role.MEMBER,
        widget=forms.RadioSelect,
        help_text="It can be changed at any time.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].initial = self.asset.username
        field = self.fields["organization"]
        field.initial = self.asset.organization_id or self.actor.organization_id
        if not manages_all(self.actor):
            # Not merely hidden: what is sent for it is not read.
            field.disabled, field.initial = True, self.actor.organization_id

    @property
    def sections(self) -> Any:
        asked = [] if self.fields["organization"].disabled else ["organization"]
        return (Section("", "username", *asked, "role"),)

    def write(self, row: Any) -> User:
        values = self.cleaned_data
        return approve(
            row,
            self.actor,
            username=values["username"],
            organization=values["organization"],
            role=values["role"],
        )
