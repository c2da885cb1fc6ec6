"""Pages of people who signed in with the provider and await approval."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy as _

from ...common.pages.base import Crumb, Page, crumb
from ..forms.users import ApproveForm
from ..models import User
from ..queries import awaiting_approval
from ..registration.identities import refuse
from ..rules import may_manage_users
from .base import ConfirmPage, ObjectPageMixin, WriterPage
from .users import UserKindMixin, organization_note


class ApprovalsPageMixin(UserKindMixin, ObjectPageMixin):
    """Mixin of the pages of approvals, for who manages users."""

    def load_object(self) -> None:
        if not may_manage_users(self.user, self.user.organization_id):
            raise PermissionDenied(gettext("Ask an admin of your organisation to approve people."))


class AwaitingPage(ApprovalsPageMixin, Page):
    """Lists the people who signed in with the provider and have no user yet."""

    template_name = "accounts/awaiting.html"
    title = _("Awaiting approval")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        people = awaiting_approval(self.user).select_related("organization")
        return super().get_context_data(people=people[:500], **kwargs)


class IdentityPageMixin(ApprovalsPageMixin):
    """Mixin of the pages of one person who awaits approval."""

    def load_object(self) -> None:
        super().load_object()
        self.object = awaiting_approval(self.user).filter(pk=self.kwargs["pk"]).first()
        if self.object is None:
            raise Http404(
                gettext("This person does not await approval. Another admin may have decided.")
            )

    def crumbs(self) -> Sequence[Crumb]:
        return [*super().crumbs(), crumb(gettext("Awaiting approval"), "users-awaiting")]


class ApprovePage(IdentityPageMixin, WriterPage):
    title = _("Approve %(name)s")
    button = _("Approve")
    form_class = ApproveForm
    unsaved = _("No user was added.")

    @property
    def note(self) -> str:
        rest = gettext("You cannot change the organisation later.")
        note = f"{organization_note(self.user)} {rest}"
        if email := self.object.email:
            note += " " + gettext("E-mail address: %(address)s") % {"address": email}
        return note

    def asset(self) -> Any:
        return self.object

    def done(self, form: Any, result: User) -> HttpResponse:
        message = gettext("%(name)s can sign in now.") % {"name": result}
        return self.redirect_with_message(reverse("user", args=[result.pk]), message)


class RefusePage(IdentityPageMixin, ConfirmPage):
    title = _("Refuse %(name)s")
    button = _("Refuse")
    explanation = _("%(name)s is removed from the list, and listed again after another sign-in.")

    def act(self) -> HttpResponse:
        name = str(self.object)
        refuse(self.object, self.user)
        message = gettext("%(name)s was refused.") % {"name": name}
        return self.redirect_with_message(reverse("users-awaiting"), message)
