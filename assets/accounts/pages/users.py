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
from django.utils.translation import gettext, gettext_lazy as _

from ...common.pages.base import AssetKindMixin, Crumb, Page, crumb
from ...common.pages.lists import ListPage
from ..filters import UserListFilterSet
from ..forms.users import ActiveForm, InviteForm, RoleForm
from ..models import User
from ..queries import admins_of, awaiting_approval, locks_of, managed_users
from ..registration.failed_sign_ins import unlock_user
from ..registration.passwords import create_reset_token
from ..registration.second_factor import remove_factor
from ..rules import check_another, manages_all, may_manage_user, may_manage_users
from ..tables import UserTable
from .base import ConfirmPage, LoginRequiredMixin, ObjectPageMixin, WriterPage, show_once


class UserKindMixin(AssetKindMixin):
    queryset = User.objects.all()
    noun, noun_plural = _("user"), _("users")
    empty_title = _("No users yet")
    list_url, detail_url = "users", "user"


class UserList(UserKindMixin, LoginRequiredMixin, ListPage):
    """Lists the users that the user manages, and the user."""

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
            # Without a provider, no one signs in before being invited.
            awaiting=awaiting_approval(self.user).count() if settings.OIDC_ISSUER else 0,
            **kwargs,
        )


def organization_note(admin: User) -> str:
    """Return which organisation a user that the admin adds will act for, as a sentence."""
    if manages_all(admin):
        return gettext("The user will act for the organisation that you choose.")
    return gettext("The user will act for %(organization)s.") % {"organization": admin.organization}


class UserNewPage(UserKindMixin, WriterPage):
    """Adds a user, and shows once the link with which the user chooses a password."""

    title = _("Invite a user")
    button = _("Invite")
    form_class = InviteForm
    unsaved = _("No user was invited.")

    @property
    def note(self) -> str:
        rest = gettext(
            "You cannot change the organisation later. You get a link to give to the user, who "
            "chooses a password with it."
        )
        return f"{organization_note(self.user)} {rest}"

    def load_object(self) -> None:
        if not may_manage_users(self.user, self.user.organization_id):
            raise PermissionDenied(gettext("Ask an admin of your organisation to invite users."))

    def initial(self) -> dict[str, Any]:
        chosen = self.request.GET.get("organization")
        return {"organization": chosen} if chosen else {}

    def done(self, form: Any, result: User) -> HttpResponse:
        return show_link(self, result, gettext("%(name)s is invited") % {"name": result})


class UserPageMixin(UserKindMixin, ObjectPageMixin):
    """Mixin of the pages of one user that the user manages, or of the user."""

    def load_object(self) -> None:
        users = managed_users(self.user).select_related("organization")
        self.object = users.filter(pk=self.kwargs["pk"]).first()
        if self.object is None:
            raise Http404(gettext("No user that you manage has this address."))
        self.may_manage = may_manage_user(self.user, self.object)

    def check_manages(self) -> None:
        if not self.may_manage:
            if manages_all(self.object):
                message = gettext("Ask a platform superuser to change the user %(name)s.")
            else:
                message = gettext("Ask an admin to change the user %(name)s.")
            raise PermissionDenied(message % {"name": self.object})


class UserPage(UserPageMixin, WriterPage):
    """Shows a user; an admin changes the role, and activates or deactivates the user."""

    template_name = "accounts/user.html"
    unsaved = _("Nothing was changed.")
    button = _("Save role")

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
            message = gettext("%(name)s has the role %(role)s now.")
        elif result.is_active:
            message = gettext("%(name)s can sign in again.")
        else:
            message = gettext("%(name)s is deactivated and can no longer sign in.")
        message %= {"name": result, "role": result.role_name}
        return self.redirect_with_message(reverse("user", args=[result.pk]), message)


class UserActionPage(UserPageMixin, ConfirmPage):
    """Base of pages that do something to one user, after confirmation."""

    done_message: Any = ""

    def load_object(self) -> None:
        super().load_object()
        self.check_manages()

    def crumbs(self) -> Sequence[Crumb]:
        return [*super().crumbs(), crumb(self.object.username, "user", self.object.pk)]

    def change(self) -> None:
        """Do it."""

    def act(self) -> HttpResponse:
        self.change()
        message = str(self.done_message) % {"name": self.object}
        return self.redirect_with_message(reverse("user", args=[self.object.pk]), message)


class UserResetPage(UserActionPage):
    """Creates a link with which a user sets a new password, and shows it once."""

    title = _("New password for %(name)s")
    button = _("Create link")
    explanation = _(
        "You get a link to give to %(name)s, who chooses a new password with it. The present "
        "password works until then."
    )

    def load_object(self) -> None:
        super().load_object()
        try:
            check_another(self.user, self.object)
        except ValidationError as error:
            raise PermissionDenied(error.message) from error
        if not self.object.is_active:
            message = gettext("%(name)s is deactivated. Activate the user first.")
            raise PermissionDenied(message % {"name": self.object})

    def act(self) -> HttpResponse:
        return show_link(self, self.object, gettext("Link for %(name)s") % {"name": self.object})


class UnlockPage(UserActionPage):
    title = _("Unlock %(name)s")
    button = _("Unlock")
    explanation = _("%(name)s can try to sign in again at once, from every address.")
    done_message = _("%(name)s can try to sign in again.")

    def change(self) -> None:
        unlock_user(self.object, self.user)


class FactorResetPage(UserActionPage):
    title = _("Reset the second factor of %(name)s")
    button = _("Reset second factor")
    explanation = _(
        "%(name)s then signs in with the password alone, and can set up a new phone. The user's "
        "sessions and recovery codes end. Make sure that it is the user who asks you."
    )
    done_message = _("The second factor of %(name)s was reset.")

    def load_object(self) -> None:
        super().load_object()
        if self.object.pk == self.user.pk:
            raise PermissionDenied(gettext("Turn off your own second factor under Account."))
        if self.object.second_factor_at is None:
            raise Http404(gettext("%(name)s has no second factor.") % {"name": self.object})

    def change(self) -> None:
        remove_factor(self.object, self.user)


def show_link(page: Page, user: User, title: str) -> HttpResponse:
    """Return a page that shows, once, the link that sets the user's password."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    path = reverse("set-password", args=[uid, create_reset_token(user)])
    return show_once(
        page,
        "accounts/link.html",
        title=title,
        person=user,
        link=page.request.build_absolute_uri(path),
        until=timezone.now() + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT),
    )
