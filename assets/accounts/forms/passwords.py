"""Forms that set a password."""

from typing import Any

from django import forms
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm

from ...common.forms.layouts import CrispyLayoutMixin, Section
from ..confirmation import cleaned_own_password
from ..models import User
from ..registration.passwords import set_password, set_password_by_link


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
