"""Pages about one's own second factor."""

import time
from typing import Any

from django.contrib.auth import update_session_auth_hash
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters

from ..organizations import views
from ..organizations.pages import CONFIRMED, Confirmed, WriterPage
from ..organizations.rules import second_factor_required
from .factors import Enrolling, show_codes
from .forms import PasswordForm
from .models import RecoveryCode
from .registration import new_recovery_codes, remove_factor


class AccountPage(views.AccountPage):
    """The account, with its second factor."""

    template_name = "sign_in/account.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        codes = RecoveryCode.objects.filter(user=self.user)
        return super().get_context_data(
            has_factor=self.user.second_factor_at is not None,
            codes_left=codes.count() if self.user.second_factor_at else 0,
            factor_required=second_factor_required(self.user),
            **kwargs,
        )


class EnrolPage(views.OfAccount, Confirmed, Enrolling):
    """Sets up a second factor for whoever is signed in."""

    note = (
        "From then on, signing in here takes a code of your telephone beside your password. "
        "Programs go on with tokens; with your password alone they get none any more."
    )

    def prepare(self) -> None:
        self.who = self.user
        if self.user.second_factor_at is not None:
            raise PermissionDenied("You have a second factor already. Turn it off first.")
        if not self.user.has_usable_password():
            raise PermissionDenied(
                "You sign in by a provider, without a password; a second factor is the provider's."
            )

    def enrolled(self, request: HttpRequest) -> str:
        update_session_auth_hash(request, self.user)
        return reverse("account")


@method_decorator(sensitive_post_parameters(), name="dispatch")
class AsksPassword(views.OfAccount, WriterPage):
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


class ConfirmPasswordPage(AsksPassword):
    """Asks for the password before pages that make what lasts longer than the session."""

    title = "Confirm your password"
    button = "Confirm"
    note = "You signed in a while ago. Give your password once more, then you go on."
    unsaved = "Your password is not confirmed yet."

    def prepare(self) -> None:
        if not self.user.has_usable_password():
            raise PermissionDenied(
                "You signed in a while ago, by a provider. Sign out, then sign in again."
            )

    def act(self) -> HttpResponse:
        self.request.session[CONFIRMED] = time.time()
        wanted, host = self.request.GET.get("next", ""), self.request.get_host()
        # On this server, never elsewhere.
        is_here = url_has_allowed_host_and_scheme(wanted, {host}, self.request.is_secure())
        return HttpResponseRedirect(wanted if is_here else reverse("account"))


class OfFactor(AsksPassword):
    """Mixin of pages that change the second factor."""

    def prepare(self) -> None:
        if self.user.second_factor_at is None:
            raise PermissionDenied("You have no second factor: see Account.")


class FactorOffPage(OfFactor):
    """Turns the second factor off."""

    title = "Turn off the second factor"
    button = "Turn off"
    note = "Whoever knows your password can sign in as you from then on. Recovery codes end too."
    unsaved = "The second factor is as it was."

    def act(self) -> HttpResponse:
        remove_factor(self.user, self.user)
        update_session_auth_hash(self.request, self.user)
        return self.redirect_with_message(reverse("account"), "The second factor is turned off.")


class RecoveryCodesPage(OfFactor):
    """Makes new recovery codes, and shows them once."""

    title = "New recovery codes"
    button = "Make new codes"
    note = "The recovery codes that you have now end."
    unsaved = "Your recovery codes are as they were."

    def act(self) -> HttpResponse:
        codes = new_recovery_codes(self.user, self.user)
        return show_codes(self, codes, reverse("account"))
