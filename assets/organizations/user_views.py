"""Pages about organisations and their users."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from ..common.db.lookups import OrderKey
from ..common.pages.base import AssetKindMixin, Crumb, Page, crumb
from ..common.pages.lists import ListPage
from .filters import OrganizationListFilterSet, UserListFilterSet
from .forms import ActiveForm, InviteForm, OrganizationForm, RoleForm
from .models import Organization, User
from .pages import Checked, ConfirmPage, SignedIn, WriterPage, show_once
from .queries import OWNED, admins_of, counts_by_owner, managed_users, user_counts_of
from .registration import reset_token
from .rules import (
    acts_for,
    check_another,
    manages_all,
    may_add_organizations,
    may_manage_user,
    may_manage_users,
)
from .tables import OrganizationTable, UserTable

# The users that an organisation's page shows; their list has all.
SHOWN = 50


class OfOrganizations(AssetKindMixin):
    queryset = Organization.objects.all()
    noun, noun_plural = "organisation", "organisations"
    list_url, detail_url = "organizations", "organization"


class OrganizationList(OfOrganizations, SignedIn, ListPage):
    template_name = "organizations/organizations.html"
    table_class = OrganizationTable
    filterset_class = OrganizationListFilterSet
    empty_hint = "A platform superuser adds the members of the consortium."

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may_add = may_add_organizations(self.user)
        return super().get_context_data(may_add=may_add, **kwargs)


class OrganizationNewPage(OfOrganizations, WriterPage):
    title = "Add an organisation"
    button = "Add organisation"
    form_class = OrganizationForm
    note = (
        "The id is what specs and permissions call the organisation, and lasts. "
        "Invite its first admin afterwards."
    )
    unsaved = "No organisation was added yet."

    def prepare(self) -> None:
        if not may_add_organizations(self.user):
            raise PermissionDenied("Only a platform superuser adds organisations; ask one.")

    def crumbs(self) -> Sequence[Crumb]:
        return [self.list_crumb()]

    def done(self, form: Any, result: Organization) -> HttpResponse:
        said = f"{result} is part of the consortium."
        return self.redirect_with_message(reverse("organization", args=[result.pk]), said)


class OrganizationPage(OfOrganizations, Checked, Page):
    """An organisation: what it owns and, to those who manage them, its users."""

    template_name = "organizations/organization.html"

    def prepare(self) -> None:
        key = self.kwargs["pk"]
        # PostgreSQL cannot even be asked for an id with NUL, which nobody has.
        found = None if "\0" in key else Organization.objects.filter(pk=key).first()
        if found is None:
            raise Http404(f'There is no organisation with the id "{key}". Their list has them all.')
        self.organization = found

    def get_title(self) -> str:
        return self.organization.name or self.organization.pk

    def crumbs(self) -> Sequence[Crumb]:
        return [self.list_crumb()]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        pk = self.organization.pk
        # The page shows users to those who manage them, and its admins to its own users.
        may_manage = may_manage_users(self.user, pk)
        users = managed_users(self.user).filter(organization=pk).order_by(OrderKey("username"))
        owned = counts_by_owner()
        return super().get_context_data(
            organization=self.organization,
            is_own=acts_for(self.user, pk),
            owned=[(name, name.replace("-", " "), owned[name].get(pk, 0)) for name in OWNED],
            user_count=user_counts_of([pk]).get(pk, 0),
            may_manage=may_manage,
            users=users[:SHOWN],
            admins=admins_of(pk),
            **kwargs,
        )


class OfUsers(AssetKindMixin):
    queryset = User.objects.all()
    noun, noun_plural = "user", "users"
    list_url, detail_url = "users", "user"


class UserList(OfUsers, SignedIn, ListPage):
    """The users that one manages, and oneself."""

    template_name = "organizations/users.html"
    table_class = UserTable
    filterset_class = UserListFilterSet

    def rows(self) -> QuerySet:
        return managed_users(self.user)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may_manage = may_manage_users(self.user, self.user.organization_id)
        admins = [] if may_manage else admins_of(self.user.organization_id)
        return super().get_context_data(may_manage=may_manage, admins=admins, **kwargs)


class UserNewPage(OfUsers, WriterPage):
    """Adds a user, and shows once the link by which it chooses its password."""

    title = "Invite a user"
    button = "Invite"
    form_class = InviteForm
    unsaved = "Nobody was invited yet."

    @property
    def note(self) -> str:
        own = self.user.organization
        whom = "the organisation that you choose" if manages_all(self.user) else str(own)
        return (
            f"The user acts for {whom}, which cannot be changed later. You get a link to hand "
            "over, by which the user chooses a password."
        )

    def crumbs(self) -> Sequence[Crumb]:
        return [self.list_crumb()]

    def prepare(self) -> None:
        if not may_manage_users(self.user, self.user.organization_id):
            raise PermissionDenied(
                "Only an admin of your organisation manages its users; ask one to invite them."
            )

    def initial(self) -> dict[str, Any]:
        asked = self.request.GET.get("organization")
        return {"organization": asked} if asked else {}

    def done(self, form: Any, result: User) -> HttpResponse:
        return show_link(self, result, title=f"{result} is invited")


class OneUser(OfUsers, Checked):
    """Mixin of pages about one user, of those that one sees."""

    def crumbs(self) -> Sequence[Crumb]:
        return [self.list_crumb()]

    def prepare(self) -> None:
        users = managed_users(self.user).select_related("organization")
        found = users.filter(pk=self.kwargs["pk"]).first()
        if found is None:
            raise Http404("There is no such user among those that you manage.")
        self.object = found
        self.may_manage = may_manage_user(self.user, found)

    def check_manages(self) -> None:
        if not self.may_manage:
            whom = "a platform superuser" if manages_all(self.object) else "an admin"
            raise PermissionDenied(f"Only {whom} changes the user {self.object}; ask one.")


class UserPage(OneUser, WriterPage):
    """Shows a user; who manages it changes its role, and lets it in or keeps it out."""

    template_name = "organizations/user.html"
    unsaved = "Nothing was changed."
    button = "Save role"

    def get_title(self) -> str:
        return self.object.username

    def make_form(self, data: Any = None) -> Any:
        is_switch = data is not None and data.get("action") == "active"
        form_class = ActiveForm if is_switch else RoleForm
        return form_class(data, actor=self.user, asset=self.object)

    def show(self, form: Any, status: int = 200) -> HttpResponse:
        context = self.get_context_data(
            form=form,
            role_form=form if isinstance(form, RoleForm) else self.make_form(),
            person=self.object,
            may_manage=self.may_manage,
            is_oneself=self.object.pk == self.user.pk,
        )
        return self.render_to_response(context, status=status)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.check_manages()
        return super().post(request, *args, **kwargs)

    def done(self, form: Any, result: User) -> HttpResponse:
        if isinstance(form, RoleForm):
            article = "an" if result.role.startswith("a") else "a"
            said = f"{result} is {article} {result.role} now."
        elif result.is_active:
            said = f"{result} may sign in again."
        else:
            said = f"{result} is deactivated, and signs in no more."
        return self.redirect_with_message(reverse("user", args=[result.pk]), said)


class UserResetPage(OneUser, ConfirmPage):
    """Makes a link by which a user sets a new password, and shows it once."""

    button = "Make a link"

    def prepare(self) -> None:
        super().prepare()
        self.check_manages()
        try:
            check_another(self.user, self.object)
        except ValidationError as error:
            raise PermissionDenied(error.message) from error
        if not self.object.is_active:
            raise PermissionDenied(
                f"{self.object} is deactivated, so that no password lets it in. "
                "Activate the user first."
            )

    def get_title(self) -> str:
        return f"New password for {self.object}"

    def crumbs(self) -> Sequence[Crumb]:
        return [*super().crumbs(), crumb(self.object.username, "user", self.object.pk)]

    def explain(self) -> str:
        return (
            f"You get a link to hand over, by which {self.object} chooses a new password. "
            "The present password works until then."
        )

    def act(self) -> HttpResponse:
        return show_link(self, self.object, title=f"A link for {self.object}")


def show_link(page: Page, user: User, *, title: str) -> HttpResponse:
    """Show once, to whoever manages the user, the link that sets its password."""
    path = reverse(
        "set-password",
        args=[urlsafe_base64_encode(force_bytes(user.pk)), reset_token(user)],
    )
    return show_once(
        page,
        "organizations/link.html",
        title=title,
        person=user,
        link=page.request.build_absolute_uri(path),
        until=timezone.now() + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT),
    )
