"""The form of a new API token."""

from datetime import timedelta

from django import forms
from django.utils import timezone

from ...common.forms.fields import text_field
from ...common.forms.layouts import Section
from ..models import ApiToken
from ..registration.tokens import create_token
from .base import WriterForm


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
