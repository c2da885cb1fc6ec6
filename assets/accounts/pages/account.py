"""Pages of a user's own account: password, tokens, confirmation."""

import time
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash, views as auth
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext, gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters

from ...common.pages.base import Crumb, Page, crumb
from ...common.pages.snippets import api_url
from ..confirmation import CONFIRMED_AT
from ..forms.passwords import NewPasswordForm, OwnPasswordForm
from ..forms.sign_in import PasswordForm
from ..forms.tokens import TokenForm
from ..models import ApiToken
from ..queries import admins_of, tokens_of
from ..registration.passwords import InvalidResetToken
from ..registration.tokens import delete_token
from ..rules import acts_for_one, expiry_of, second_factor_required
from .base import ConfirmPage, LoginRequiredMixin, PasswordConfirmedMixin, WriterPage, show_once

# Programs that sign in with a password create one token each time.
PREVIEW_ROWS = 100


class AccountPageMixin(LoginRequiredMixin):
    """Mixin of pages below the account."""

    def crumbs(self) -> Sequence[Crumb]:
        return [crumb(gettext("Account"), "account")]


class AccountPage(LoginRequiredMixin, Page):
    """The account: its role, API tokens and second factor."""

    template_name = "accounts/account.html"
    title = _("Account")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user, now = self.user, timezone.now()
        tokens = [(token, expiry_of(token.expires_at, now)) for token in tokens_of(user)]
        named = [pair for pair in tokens if pair[0].kind == ApiToken.Kind.NAMED]
        implicit = [pair for pair in tokens if pair[0].kind == ApiToken.Kind.IMPLICIT]
        return super().get_context_data(
            named=named,
            implicit=implicit[:PREVIEW_ROWS],
            more_implicit=len(implicit[PREVIEW_ROWS:]),
            ending=[token for token, expiry in named if expiry == "soon"],
            admins=admins_of(user.organization_id),
            may_have_tokens=acts_for_one(user),
            has_factor=user.second_factor_at is not None,
            codes_left=user.recovery_codes.count() if user.second_factor_at else 0,
            factor_required=second_factor_required(user),
            **kwargs,
        )


@method_decorator(sensitive_post_parameters(), name="dispatch")
class PasswordPage(AccountPageMixin, WriterPage):
    """Changes the user's own password; the user stays signed in in this browser only."""

    title = _("Change password")
    button = _("Change password")
    note = _(
        "You stay signed in here. Other browsers are signed out, and your API tokens are revoked "
        "unless you keep them."
    )
    unsaved = _("Your password was not changed.")

    def make_form(self, data: Any = None) -> OwnPasswordForm:
        return OwnPasswordForm(data, request=self.request)

    def done(self, form: Any, result: Any) -> HttpResponse:
        update_session_auth_hash(self.request, result)
        return self.redirect_with_message(reverse("account"), gettext("Password changed."))


class TokenPage(AccountPageMixin, PasswordConfirmedMixin, WriterPage):
    """Creates a token, and shows its secret once."""

    title = _("New API token")
    button = _("Create token")
    form_class = TokenForm
    note = _(
        "Programs use a token to sign in as you, with your role. Create one for each program, so "
        "that you can revoke each alone."
    )
    unsaved = _("No token was created.")

    def load_object(self) -> None:
        if not acts_for_one(self.user):
            raise PermissionDenied(
                gettext(
                    "The API is for users of organisations, and your account belongs to none. Add "
                    "a user for yourself to an organisation."
                )
            )

    def done(self, form: Any, result: Any) -> HttpResponse:
        context = {"token": result, "secret": form.secret, "api": api_url(self.request)}
        return show_once(self, "accounts/token_made.html", **context)


class TokenRevokePage(AccountPageMixin, ConfirmPage):
    """Revokes one of the user's own tokens."""

    title = _("Revoke %(name)s")
    button = _("Revoke token")

    def load_object(self) -> None:
        self.object = tokens_of(self.user).filter(pk=self.kwargs["pk"]).first()
        if self.object is None:
            raise Http404(gettext("You have no such token. You may have revoked it already."))

    def explain(self) -> str:
        if expiry_of(self.object.expires_at, timezone.now()) == "expired":
            return gettext("This token has expired. It is removed from your list.")
        return gettext(
            "Programs that use this token can no longer sign in. You cannot undo this, but you can "
            "create a new token for them."
        )

    def act(self) -> HttpResponse:
        message = gettext("Token %(name)s revoked.") % {"name": self.object}
        delete_token(self.object, self.user)
        return self.redirect_with_message(reverse("account"), message)


class SetPasswordPage(auth.PasswordResetConfirmView):
    """Sets a password with a link from an admin, which works once and expires after a week."""

    template_name = "accounts/set_password.html"
    form_class = NewPasswordForm
    success_url = reverse_lazy("sign-in")
    title = _("Choose a password")
    unsaved = _("Your password was not set.")
    is_kept = False

    def get_user(self, uidb64: str) -> Any:
        user = super().get_user(uidb64)
        # A deactivated user cannot sign in, and needs no password.
        return user if user is not None and user.is_active else None

    def get_form_kwargs(self) -> dict[str, Any]:
        secret = self.request.session.get(auth.INTERNAL_RESET_SESSION_TOKEN, "")
        return {**super().get_form_kwargs(), "secret": secret}

    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            response = super().form_valid(form)
        except InvalidResetToken:
            # Another request used the link first.
            self.validlink = False
            return self.render_to_response(self.get_context_data())
        message = gettext("The password of %(name)s is set. Sign in with it.")
        messages.success(self.request, message % {"name": self.user})
        return response


@method_decorator(sensitive_post_parameters(), name="dispatch")
class PasswordRequiredPage(AccountPageMixin, WriterPage):
    """Base of pages that ask for the password, and then act."""

    is_kept = False

    def make_form(self, data: Any = None) -> PasswordForm:
        return PasswordForm(data, request=self.request)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = self.make_form(request.POST)
        if form.is_valid():
            try:
                return self.act()
            except ValidationError as error:
                form.add_error(None, error)
        return self.show(form, status=422)

    def act(self) -> HttpResponse:
        """Do what the page is for; return the response."""
        raise NotImplementedError


class ConfirmPasswordPage(auth.RedirectURLMixin, PasswordRequiredPage):
    """Asks for the password before pages that create something that outlives the session."""

    title = _("Confirm your password")
    button = _("Confirm")
    note = _("You signed in a while ago. Enter your password to continue.")
    unsaved = _("Your password was not confirmed.")
    # Where `next` names no page of this server.
    next_page = "account"

    def load_object(self) -> None:
        if not self.user.has_usable_password():
            raise PermissionDenied(
                gettext("You signed in with a provider a while ago. Sign out, then sign in again.")
            )

    def act(self) -> HttpResponse:
        self.request.session[CONFIRMED_AT] = time.time()
        return HttpResponseRedirect(self.get_success_url())
