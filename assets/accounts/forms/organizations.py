"""The form of a new organisation."""

from typing import Any

from django.utils.translation import gettext_lazy

from ...common.forms.fields import text_field
from ...common.forms.layouts import Section
from ..models import Organization
from ..registration.organizations import check_organization, create_organization
from .base import WriterForm


class OrganizationForm(WriterForm):
    """Adds an organisation to the consortium."""

    sections = (Section("", "id", "name"),)

    id = text_field(Organization, "id", label=gettext_lazy("ID"))
    name = text_field(Organization, "name")

    def check(self, values: dict[str, Any]) -> None:
        check_organization(**values)

    def save(self) -> Organization:
        return create_organization(**self.cleaned_data)
