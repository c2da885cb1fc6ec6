"""What admins do about how others sign in: locks, second factors, and who awaits approval."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.urls import reverse

from ..common.pages.base import Crumb, Page, crumb
from ..organizations import user_views
from ..organizations.models import User
from ..organizations.pages import Checked, ConfirmPage, WriterPage
from ..organizations.rules import manages_all, may_manage_users
from .attempts import unlock_user
from .forms import ApproveForm
from .queries import awaiting, locks_of
from .registration import refuse, remove_factor


class UserList(user_views.UserList):
    """The users, and how many people await approval."""

    template_name = "sign_in/users.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        # Nobody waits where nobody else is asked who people are.
        count = awaiting(self.user).count() if settings.OIDC_ISSUER else 0
        return super().get_context_data(awaiting=count, **kwargs)


class UserPage(user_views.UserPage):
    """A user, with what keeps it out and how it signs in."""

    template_name = "sign_in/user.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            locks=locks_of(self.object) if self.may_manage else (),
            identities=self.object.identities.all(),
            **kwargs,
        )


class OfUser(user_views.OneUser, ConfirmPage):
    """Mixin of what is done to one user after a question."""

    def prepare(self) -> None:
        super().prepare()
        self.check_manages()

    def crumbs(self) -> Sequence[Crumb]:
        return [*super().crumbs(), crumb(self.object.username, "user", self.object.pk)]

    def done(self, said: str) -> HttpResponse:
        return self.redirect_with_message(reverse("user", args=[self.object.pk]), said)


class UnlockPage(OfUser):
    button = "Let it try again"

    def get_title(self) -> str:
        return f"Unlock {self.object}"

    def explain(self) -> str:
        return f"Failed attempts to sign in as {self.object} are forgotten, from every address."

    def act(self) -> HttpResponse:
        unlock_user(self.object, self.user)
        return self.done(f"{self.object} may try to sign in again.")


class FactorResetPage(OfUser):
    button = "Reset second factor"

    def prepare(self) -> None:
        super().prepare()
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


class OfAwaiting(user_views.OfUsers, Checked):
    """Mixin of pages about people who await approval."""

    def crumbs(self) -> Sequence[Crumb]:
        return [self.list_crumb()]

    def prepare(self) -> None:
        if not may_manage_users(self.user, self.user.organization_id):
            raise PermissionDenied("Only an admin of your organisation lets people in; ask one.")


class AwaitingPage(OfAwaiting, Page):
    """Who signed in by the provider, and is no user yet."""

    template_name = "sign_in/awaiting.html"
    title = "Awaiting approval"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        people = awaiting(self.user).select_related("organization")
        return super().get_context_data(people=people[:500], **kwargs)


class OneAwaiting(OfAwaiting):
    def prepare(self) -> None:
        super().prepare()
        found = awaiting(self.user).filter(pk=self.kwargs["pk"]).first()
        if found is None:
            raise Http404("Nobody like that awaits your approval; another admin may have decided.")
        self.identity = found

    def crumbs(self) -> Sequence[Crumb]:
        return [*super().crumbs(), crumb("Awaiting approval", "users-awaiting")]


class ApprovePage(OneAwaiting, WriterPage):
    button = "Approve"
    form_class = ApproveForm
    unsaved = "Nobody was let in yet."

    @property
    def note(self) -> str:
        whom = (
            "the organisation that you choose"
            if manages_all(self.user)
            else str(self.user.organization)
        )
        address = f", whose address is {self.identity.email}," if self.identity.email else ""
        return f"{self.identity}{address} will act for {whom}. That cannot be changed later."

    def get_title(self) -> str:
        return f"Approve {self.identity}"

    def asset(self) -> Any:
        return self.identity

    def done(self, form: Any, result: User) -> HttpResponse:
        return self.redirect_with_message(
            reverse("user", args=[result.pk]), f"{result} may sign in now."
        )


class RefusePage(OneAwaiting, ConfirmPage):
    button = "Refuse"

    def get_title(self) -> str:
        return f"Refuse {self.identity}"

    def explain(self) -> str:
        return f"{self.identity} leaves the list. Whoever signs in again is listed again."

    def act(self) -> HttpResponse:
        name = str(self.identity)
        refuse(self.identity, self.user)
        return self.redirect_with_message(reverse("users-awaiting"), f"{name} is refused.")
