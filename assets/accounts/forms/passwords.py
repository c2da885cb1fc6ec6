"""Forms that set a password."""

from typing import Any

from django import forms
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.utils.translation import gettext_lazy as _

from ...common.forms.layouts import CrispyLayoutMixin, Section
from ..confirmation import clean_own_password
from ..models import User
from ..registration.passwords import set_password, set_password_by_link


class OwnPasswordForm(CrispyLayoutMixin, PasswordChangeForm):
    """Changes the user's own password, and asks for the old one."""

    sections = (Section("", "old_password", "new_password1", "new_password2", "keep_tokens"),)

    keep_tokens = forms.BooleanField(
        required=False,
        label=_("Keep my API tokens"),
        help_text=_(
            "If not, they are revoked, and programs that use them stop working. Keep them only if "
            "you are sure that no one else knows them."
        ),
    )

    def __init__(self, *args: Any, request: Any, **kwargs: Any) -> None:
        super().__init__(request.user, *args, **kwargs)
        self.request = request

    def clean_old_password(self) -> str:
        return clean_own_password(self.request, self.cleaned_data["old_password"])

    def save(self, commit: bool = True) -> User:
        keep, password = self.cleaned_data["keep_tokens"], self.cleaned_data["new_password1"]
        set_password(self.user, password, self.user, keep_tokens=lambda token: keep)
        return self.user


class NewPasswordForm(CrispyLayoutMixin, SetPasswordForm):
    """Sets a password for the owner of a reset link, whose secret it takes."""

    sections = (Section("", "new_password1", "new_password2"),)

    def __init__(self, *args: Any, secret: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.secret = secret

    def save(self, commit: bool = True) -> User:
        set_password_by_link(self.user, self.secret, self.cleaned_data["new_password1"])
        return self.user
