"""Pages of users, for the admins who manage them."""

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
from django.utils.translation import gettext_lazy as _

from ...common.pages.base import AssetKindMixin, Crumb, Page, crumb
from ...common.pages.lists import ListPage
from ..filters import UserListFilterSet
from ..forms.users import ActiveForm, InviteForm, RoleForm
from ..models import User
from ..queries import admins_of, awaiting_approval, locks_of, managed_users
from ..registration.failed_sign_ins import unlock_user
from ..registration.passwords import create_reset_token
from ..registration.second_factor import remove_factor
from ..rules import (
    check_another,
    manages_all,
    may_manage_user,
    may_manage_users,
)
from ..tables import UserTable
from .base import ConfirmPage, LoginRequiredMixin, ObjectPageMixin, WriterPage, show_once


class UserKindMixin(AssetKindMixin):
    queryset = User.objects.all()
    noun, noun_plural = _("user"), _("users")
    empty_title = _("No users yet")
    list_url, detail_url = "users", "user"


class UserList(UserKindMixin, LoginRequiredMixin, ListPage):
    """The users that one manages, and oneself."""

    template_name = "accounts/users.html"
    table_class = UserTable
    filterset_class = UserListFilterSet

    def rows(self) -> QuerySet:
        return managed_users(self.user)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may_manage = may_manage_users(self.user, self.user.organization_id)
        return super().get_context_data(
            may_manage=may_manage,
            admins=[] if may_manage else admins_of(self.user.organization_id),
            # Only a provider sends people who are unknown here.
            awaiting=awaiting_approval(self.user).count() if settings.OIDC_ISSUER else 0,
            **kwargs,
        )


class UserNewPage(UserKindMixin, WriterPage):
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

    def load_object(self) -> None:
        if not may_manage_users(self.user, self.user.organization_id):
            raise PermissionDenied(
                "Only an admin of your organisation manages its users; ask one to invite them."
            )

    def initial(self) -> dict[str, Any]:
        asked = self.request.GET.get("organization")
        return {"organization": asked} if asked else {}

    def done(self, form: Any, result: User) -> HttpResponse:
        return show_link(self, result, title=f"{result} is invited")


class UserPageMixin(UserKindMixin, ObjectPageMixin):
    """Mixin of pages about one user, of those that one sees."""

    def crumbs(self) -> Sequence[Crumb]:
        return [self.list_crumb()]

    def load_object(self) -> None:
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


class UserPage(UserPageMixin, WriterPage):
    """Shows a user; who manages it changes its role, and lets it in or keeps it out."""

    template_name = "accounts/user.html"
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
            locks=locks_of(self.object) if self.may_manage else (),
            identities=self.object.identities.all(),
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


class UserResetPage(UserPageMixin, ConfirmPage):
    """Makes a link by which a user sets a new password, and shows it once."""

    button = "Make a link"

    def load_object(self) -> None:
        super().load_object()
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
        args=[urlsafe_base64_encode(force_bytes(user.pk)), create_reset_token(user)],
    )
    return show_once(
        page,
        "accounts/link.html",
        title=title,
        person=user,
        link=page.request.build_absolute_uri(path),
        until=timezone.now() + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT),
    )


class UserActionPage(UserPageMixin, ConfirmPage):
    """Mixin of what is done to one user after a question."""

    def load_object(self) -> None:
        super().load_object()
        self.check_manages()

    def crumbs(self) -> Sequence[Crumb]:
        return [*super().crumbs(), crumb(self.object.username, "user", self.object.pk)]

    def done(self, said: str) -> HttpResponse:
        return self.redirect_with_message(reverse("user", args=[self.object.pk]), said)


class UnlockPage(UserActionPage):
    button = "Let it try again"

    def get_title(self) -> str:
        return f"Unlock {self.object}"

    def explain(self) -> str:
        return f"Failed attempts to sign in as {self.object} are forgotten, from every address."

    def act(self) -> HttpResponse:
        unlock_user(self.object, self.user)
        return self.done(f"{self.object} may try to sign in again.")


class FactorResetPage(UserActionPage):
    button = "Reset second factor"

    def load_object(self) -> None:
        super().load_object()
        if self.object.pk == self.user.pk:
            raise PermissionDenied("Turn off your own second factor under Account.")
        if self.object.second_factor_at is None:
            raise Http404(f"{self.object} has no second factor.")

    def get_title(self) -> str:
        return f"Reset the second factor of {self.object}"

    def explain(self) -> str:
        return (
            f"{self.object} signs in by the password alone afterwards, and can set up a new "
            "telephone. Its sessions and recovery codes end. Be sure that it is the user who asks."
        )

    def act(self) -> HttpResponse:
        remove_factor(self.object, self.user)
        return self.done(f"The second factor of {self.object} is reset.")
