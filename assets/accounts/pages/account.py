"""Pages of one's own account: password, tokens, confirmation."""

import time
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth import views as auth
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
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

# Enough tokens for a page; programs that sign in by password make one each time.
PREVIEW_ROWS = 100


class AccountPageMixin(LoginRequiredMixin):
    """Mixin of pages below the account."""

    def crumbs(self) -> Sequence[Crumb]:
        return [crumb("Account", "account")]


class AccountPage(LoginRequiredMixin, Page):
    """The account: roles, API tokens and the second factor."""

    template_name = "accounts/account.html"
    title = "Account"

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
    """Changes one's own password; other browsers are signed out by it, this one is not."""

    title = "Change password"
    button = "Change password"
    note = (
        "You stay signed in here; other browsers are signed out, and your API tokens are revoked "
        "unless you keep them."
    )
    unsaved = "The password is as it was."

    def make_form(self, data: Any = None) -> OwnPasswordForm:
        return OwnPasswordForm(data, request=self.request)

    def done(self, form: Any, result: Any) -> HttpResponse:
        update_session_auth_hash(self.request, result)
        return self.redirect_with_message(reverse("account"), "Your password is changed.")


class TokenPage(AccountPageMixin, PasswordConfirmedMixin, WriterPage):
    """Makes a token, and shows its secret in the answer and never again."""

    title = "New API token"
    button = "Create token"
    form_class = TokenForm
    note = (
        "A token signs programs in as you, with your role. Make one for each program, "
        "so that each can be revoked alone."
    )
    unsaved = "No token was made yet."

    def load_object(self) -> None:
        if not acts_for_one(self.user):
            raise PermissionDenied(
                "Your account acts for no organisation, and the API serves users of organisations. "
                "Make a user for yourself in one of them."
            )

    def done(self, form: Any, result: Any) -> HttpResponse:
        return show_once(
            self, "accounts/token_made.html", token=result, secret=form.secret,
            api=api_url(self.request),
        )  # fmt: skip


class TokenRevokePage(AccountPageMixin, ConfirmPage):
    """Revokes one of one's own tokens; others' are not known here."""

    button = "Revoke token"

    def load_object(self) -> None:
        token = tokens_of(self.user).filter(pk=self.kwargs["pk"]).first()
        if token is None:
            raise Http404("You have no such token. It may be revoked already: see Account.")
        self.token = token

    def get_title(self) -> str:
        return f"Revoke {self.token}"

    def explain(self) -> str:
        if expiry_of(self.token.expires_at, timezone.now()) == "expired":
            return "The token has expired: no program signs in with it. It leaves your list."
        return (
            "Programs that sign in with this token are refused from now on. "
            "This cannot be undone; you can make a new token and give it to them."
        )

    def act(self) -> HttpResponse:
        name = str(self.token)
        delete_token(self.token, self.user)
        return self.redirect_with_message(reverse("account"), f"The token {name} is revoked.")


class SetPasswordPage(auth.PasswordResetConfirmView):
    """Sets a password by a link that an admin handed over; it works once, and for a week."""

    template_name = "accounts/set_password.html"
    form_class = NewPasswordForm
    success_url = reverse_lazy("sign-in")
    title = "Choose a password"
    unsaved = "The password is not set yet."
    is_kept = False

    def get_user(self, uidb64: str) -> Any:
        user = super().get_user(uidb64)
        # Whoever may not sign in needs no password.
        return user if user is not None and user.is_active else None

    def get_form_kwargs(self) -> dict[str, Any]:
        secret = self.request.session.get(auth.INTERNAL_RESET_SESSION_TOKEN, "")
        return {**super().get_form_kwargs(), "secret": secret}

    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            answer = super().form_valid(form)
        except InvalidResetToken:
            # Another request with the same link came first.
            self.validlink = False
            return self.render_to_response(self.get_context_data())
        messages.success(self.request, f"The password of {self.user} is set. Sign in with it.")
        return answer


@method_decorator(sensitive_post_parameters(), name="dispatch")
class PasswordRequiredPage(AccountPageMixin, WriterPage):
    """Mixin of pages that ask for the password, and then act."""

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
        raise NotImplementedError


class ConfirmPasswordPage(PasswordRequiredPage):
    """Asks for the password before pages that make what lasts longer than the session."""

    title = "Confirm your password"
    button = "Confirm"
    note = "You signed in a while ago. Give your password once more, then you go on."
    unsaved = "Your password is not confirmed yet."

    def load_object(self) -> None:
        if not self.user.has_usable_password():
            raise PermissionDenied(
                "You signed in a while ago, by a provider. Sign out, then sign in again."
            )

    def act(self) -> HttpResponse:
        self.request.session[CONFIRMED_AT] = time.time()
        wanted, host = self.request.GET.get("next", ""), self.request.get_host()
        # On this server, never elsewhere.
        is_here = url_has_allowed_host_and_scheme(wanted, {host}, self.request.is_secure())
        return HttpResponseRedirect(wanted if is_here else reverse("account"))
