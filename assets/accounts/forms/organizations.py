"""The form of a new organisation."""

from ...common.forms.fields import text_field
from ...common.forms.layouts import Section
from ..models import Organization
from ..registration.organizations import create_organization
from .base import WriterForm


class OrganizationForm(WriterForm):
    """Adds an organisation to the consortium."""

    sections = (Section("", "id", "name"),)

    id = text_field(Organization, "id", label="Id")
    name = text_field(Organization, "name")

    def write(self, row: None) -> Organization:
        return create_organization(self.cleaned_data["id"], name=self.cleaned_data["name"])
