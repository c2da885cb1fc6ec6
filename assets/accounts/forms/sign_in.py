"""Forms of signing in and of the second factor."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm

from ...common.forms.layouts import CrispyLayoutMixin, Section
from ..confirmation import cleaned_own_password


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
