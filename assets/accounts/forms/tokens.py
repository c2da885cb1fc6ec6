"""The form of a new API token."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ...common.forms.fields import text_field
from ...common.forms.layouts import Section
from ..models import ApiToken
from ..registration.tokens import check_token, create_token
from .base import WriterForm


class TokenForm(WriterForm):
    """Creates an API token for the actor; `secret` is set once it is saved."""

    sections = (Section("", "note", "days"),)

    note = text_field(ApiToken, "note")
    days = forms.IntegerField(
        label=_("Valid for days"), min_value=1, max_value=3650, initial=90, help_text=_("1 to 3650")
    )

    def _token(self, values: dict[str, Any]) -> dict[str, Any]:
        expires_at = timezone.now() + timedelta(days=values["days"])
        return {"expires_at": expires_at, "note": values["note"]}

    def check(self, values: dict[str, Any]) -> None:
        check_token(self.actor, **self._token(values))

    def save(self) -> ApiToken:
        token, self.secret = create_token(self.actor, **self._token(self.cleaned_data))
        return token
