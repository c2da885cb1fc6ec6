"""Pages of organisations."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy as _

from ...common.db.lookups import OrderKey
from ...common.pages.base import AssetKindMixin, Page
from ...common.pages.lists import ListPage
from ..filters import OrganizationListFilterSet
from ..forms.organizations import OrganizationForm
from ..models import Organization
from ..queries import OWNED, admins_of, counts_by_owner, managed_users, user_counts_of
from ..rules import acts_for, may_add_organizations, may_manage_users
from ..tables import OrganizationTable
from .base import LoginRequiredMixin, ObjectPageMixin, WriterPage

# The users that an organisation's page shows; the list of users has all.
PREVIEW_ROWS = 50


class OrganizationKindMixin(AssetKindMixin):
    queryset = Organization.objects.all()
    noun, noun_plural = _("organisation"), _("organisations")
    empty_title = _("No organisations yet")
    list_url, detail_url = "organizations", "organization"


class OrganizationList(OrganizationKindMixin, LoginRequiredMixin, ListPage):
    template_name = "accounts/organizations.html"
    table_class = OrganizationTable
    filterset_class = OrganizationListFilterSet
    empty_hint = _("Platform superusers add the organisations of the consortium.")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may_add = may_add_organizations(self.user)
        return super().get_context_data(may_add=may_add, **kwargs)


class OrganizationNewPage(OrganizationKindMixin, WriterPage):
    title = _("Add an organisation")
    button = _("Add organisation")
    form_class = OrganizationForm
    note = _(
        "Assets and permissions refer to an organisation by its ID, which cannot be changed. "
        "Invite the first admin afterwards."
    )
    unsaved = _("No organisation was added.")

    def load_object(self) -> None:
        if not may_add_organizations(self.user):
            raise PermissionDenied(gettext("Ask a platform superuser to add organisations."))

    def done(self, form: Any, result: Organization) -> HttpResponse:
        message = gettext("%(name)s is part of the consortium.") % {"name": result}
        return self.redirect_with_message(reverse("organization", args=[result.pk]), message)


class OrganizationPage(OrganizationKindMixin, ObjectPageMixin, Page):
    """An organisation with the count of its assets and, for its admins, its users."""

    template_name = "accounts/organization.html"

    def load_object(self) -> None:
        key = self.kwargs["pk"]
        # PostgreSQL rejects texts with NUL.
        found = None if "\0" in key else Organization.objects.filter(pk=key).first()
        if found is None:
            message = gettext('No organisation has the ID "%(id)s". Check the ID in the list.')
            raise Http404(message % {"id": key})
        self.organization = found

    def get_title(self) -> str:
        return self.organization.name or self.organization.pk

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        pk = self.organization.pk
        users = managed_users(self.user).filter(organization=pk).order_by(OrderKey("username"))
        owned = counts_by_owner()
        return super().get_context_data(
            organization=self.organization,
            is_own=acts_for(self.user, pk),
            owned=[(name, rows.label, owned[name].get(pk, 0)) for name, rows in OWNED.items()],
            user_count=user_counts_of([pk]).get(pk, 0),
            # Admins see the users; the other users of the organisation see its admins.
            may_manage=may_manage_users(self.user, pk),
            users=users[:PREVIEW_ROWS],
            admins=admins_of(pk),
            **kwargs,
        )
