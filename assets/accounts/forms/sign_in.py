"""Forms of signing in and of the second factor."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.utils.translation import gettext_lazy as _

from ...common.forms.layouts import CrispyLayoutMixin, Section
from ..confirmation import clean_own_password


class SignInForm(AuthenticationForm):
    """Asks for the user name and the password."""

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": _(
            "Incorrect user name or password. Passwords are case-sensitive. Forgot yours? Ask an "
            "admin of your organisation for a link to set a new one."
        ),
    }


class CodeForm(CrispyLayoutMixin, forms.Form):
    """Asks for a code of the authenticator app, or for a recovery code."""

    sections = (Section("", "code"),)

    code = forms.CharField(
        label=_("Code"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autocapitalize": "none"}),
    )


class PasswordForm(CrispyLayoutMixin, forms.Form):
    """Asks a signed-in user for the password, before a change that a thief would make."""

    sections = (Section("", "password"),)

    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, request: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_password(self) -> str:
        return clean_own_password(self.request, self.cleaned_data["password"])
