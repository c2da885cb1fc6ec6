"""Pages of people who signed in with the provider and await approval."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.urls import reverse

from ...common.pages.base import Crumb, Page, crumb
from ..forms.users import ApproveForm
from ..models import User
from ..queries import awaiting_approval
from ..registration.identities import refuse
from ..rules import manages_all, may_manage_users
from .base import ConfirmPage, ObjectPageMixin, WriterPage
from .users import UserKindMixin


class ApprovalsPageMixin(UserKindMixin, ObjectPageMixin):
    """Mixin of pages about people who await approval."""

    def crumbs(self) -> Sequence[Crumb]:
        return [self.list_crumb()]

    def load_object(self) -> None:
        if not may_manage_users(self.user, self.user.organization_id):
            raise PermissionDenied("Only an admin of your organisation lets people in; ask one.")


class AwaitingPage(ApprovalsPageMixin, Page):
    """Who signed in by the provider, and is no user yet."""

    template_name = "accounts/awaiting.html"
    title = "Awaiting approval"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        people = awaiting_approval(self.user).select_related("organization")
        return super().get_context_data(people=people[:500], **kwargs)


class IdentityPageMixin(ApprovalsPageMixin):
    def load_object(self) -> None:
        super().load_object()
        found = awaiting_approval(self.user).filter(pk=self.kwargs["pk"]).first()
        if found is None:
            raise Http404("Nobody like that awaits your approval; another admin may have decided.")
        self.identity = found

    def crumbs(self) -> Sequence[Crumb]:
        return [*super().crumbs(), crumb("Awaiting approval", "users-awaiting")]


class ApprovePage(IdentityPageMixin, WriterPage):
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


class RefusePage(IdentityPageMixin, ConfirmPage):
    button = "Refuse"

    def get_title(self) -> str:
        return f"Refuse {self.identity}"

    def explain(self) -> str:
        return f"{self.identity} leaves the list. Whoever signs in again is listed again."

    def act(self) -> HttpResponse:
        name = str(self.identity)
        refuse(self.identity, self.user)
        return self.redirect_with_message(reverse("users-awaiting"), f"{name} is refused.")
