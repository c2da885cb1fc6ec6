"""Forms of signing in, of the second factor, and of who is let in."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm

from ..common.forms.fields import text_field
from ..common.forms.layouts import CrispyLayoutMixin, Section
from ..organizations.forms import WriterForm, cleaned_own_password
from ..organizations.models import Organization, Role, User
from ..organizations.rules import manages_all
from .registration import approve


class SignInForm(AuthenticationForm):
    """Signs a person in."""

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": "No active user has this name with this password. Mind capital letters "
        "in the password and try again; an admin of your organisation can give you a link that "
        "sets a new one.",
    }


class CodeForm(CrispyLayoutMixin, forms.Form):
    """Takes the code of a telephone, or a recovery code."""

    sections = (Section("", "code"),)

    code = forms.CharField(
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autocapitalize": "none"}),
    )


class PasswordForm(CrispyLayoutMixin, forms.Form):
    """Asks whoever is signed in for the password, before something that a thief would do."""

    sections = (Section("", "password"),)

    password = forms.CharField(
        strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )

    def __init__(self, *args: Any, request: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_password(self) -> str:
        return cleaned_own_password(self.request, self.cleaned_data["password"])


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
