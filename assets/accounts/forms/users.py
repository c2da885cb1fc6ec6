"""Forms of users."""

from copy import copy
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from ...common.forms.fields import text_field
from ...common.forms.layouts import Section
from ..models import Organization, Role, User
from ..registration.identities import approve
from ..registration.passwords import check_password, set_password
from ..registration.users import (
    change_role,
    check_may_lose_rights,
    check_role,
    check_user,
    create_user,
    set_active,
)
from ..rules import check_another, manages_all
from .base import WriterForm

ROLE_HELP = _("You can change the role at any time. Assets that the user registered stay.")


def _password_field(**options: Any) -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": "new-password", "class": "vTextField"})
    return forms.CharField(widget=widget, strip=False, required=False, **options)


def _role_field(**options: Any) -> forms.ChoiceField:
    return forms.ChoiceField(
        choices=Role.choices, widget=forms.RadioSelect, help_text=ROLE_HELP, **options
    )


class NewUserForm(WriterForm):
    """Base of forms that add a user to the actor's organisation; superusers choose which."""

    username = text_field(User, "username")
    organization = forms.ModelChoiceField(
        Organization.objects.all(), required=False, label=_("Organisation")
    )
    role = _role_field(label=_("Role"), initial=Role.MEMBER)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not manages_all(self.actor):
            # Not merely hidden: a disabled field ignores what is sent.
            field = self.fields["organization"]
            field.disabled, field.initial = True, self.actor.organization_id

    @property
    def sections(self) -> Any:
        shown = [name for name, field in self.fields.items() if not field.disabled]
        return (Section("", *shown),)

    def check(self, values: dict[str, Any]) -> None:
        check_user(**values)


class InviteForm(NewUserForm):
    """Adds a user who chooses a password with the link that the page shows."""

    def save(self) -> User:
        return create_user(**self.cleaned_data)


class UserForm(InviteForm):
    """Adds a user, with a password or without."""

    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, initial=Role.MEMBER)
    password = _password_field(
        label=_("Password"),
        empty_value=None,
        help_text=_("If blank, the user signs in with tokens only until a password is set."),
    )


class ApproveForm(NewUserForm):
    """Adds the user of a person who awaits approval."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].initial = self.asset.username
        field = self.fields["organization"]
        if not field.disabled:
            field.initial = self.asset.organization_id or self.actor.organization_id

    def save(self) -> User:
        return approve(self.asset, self.actor, **self.cleaned_data)


class UserChangeForm(WriterForm):
    """Changes a user's role, activates or deactivates the user, and sets a password."""

    field_aliases = {"password": "new_password"}

    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)
    is_active = forms.BooleanField(
        label=_("Active"),
        required=False,
        help_text=_("Whether the user can sign in. Assets that the user registered stay."),
    )
    new_password = _password_field(
        label=_("New password"),
        help_text=_(
            "Leave blank to keep the password. A new password ends the user's sessions and "
            "revokes the user's tokens."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in {"role", "is_active"} & set(self.fields):
            self.fields[name].initial = getattr(self.asset, name, None)

    def check(self, values: dict[str, Any]) -> None:
        # The page still shows the row unchanged.
        user = copy(self.asset)
        if "role" in values:
            check_role(user, values["role"], self.actor)
            user.role = values["role"]
        if not values.get("is_active", user.is_active) and user.is_active:
            check_may_lose_rights(user, self.actor)
        if password := values.get("new_password"):
            try:
                check_another(self.actor, user)
            except ValidationError as error:
                raise ValidationError({"new_password": error}) from error
            check_password(password, user)

    @transaction.atomic
    def save(self) -> User:
        user, values = self.asset, self.cleaned_data
        if "role" in values:
            change_role(user, values["role"], self.actor)
        if values.get("is_active", user.is_active) != user.is_active:
            set_active(user, values["is_active"], self.actor)
        if values.get("new_password"):
            set_password(user, values["new_password"], self.actor)
        return user


class RoleForm(UserChangeForm):
    """Changes a user's role and nothing else."""

    is_active: Any = None
    new_password: Any = None
    sections = ("role",)
    role = _role_field(label=_("Role"))


class ActiveForm(UserChangeForm):
    """Activates or deactivates a user, and nothing else."""

    role: Any = None
    new_password: Any = None
    is_active = forms.BooleanField(label=_("Active"), required=False)
