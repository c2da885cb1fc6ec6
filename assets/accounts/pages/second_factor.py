"""Pages that set up, change and turn off one's own second factor."""

from base64 import b32encode
from binascii import unhexlify
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

import segno
from django.contrib.auth import update_session_auth_hash
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django_otp.plugins.otp_totp.models import default_key

from ...common.pages.base import Page
from ..forms.sign_in import CodeForm
from ..models import User
from ..registration.second_factor import enrol, new_recovery_codes, remove_factor
from .account import AccountPageMixin, PasswordRequiredPage
from .base import PasswordConfirmedMixin, show_once

ISSUER = "Registrar"


def secret_text(key: str) -> str:
    """Return the secret as telephones take it by hand, in groups of four."""
    text = b32encode(unhexlify(key)).decode()
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def otpauth_uri(user: User, key: str, host: str) -> str:
    """Return what the QR code says: the secret, and what the telephone shall call it."""
    label = quote(f"{ISSUER}:{user.username}@{host}")
    query = urlencode({"secret": secret_text(key).replace(" ", ""), "issuer": ISSUER})
    return f"otpauth://totp/{label}?{query}"


def qr_code(text: str) -> SafeString:
    """Draw it; dark on light in every theme, as cameras expect."""
    drawn = segno.make(text, error="m").svg_inline(scale=5, border=4, light="#fff", omitsize=False)
    # Made of numbers and our own constants: nothing in it is what anybody typed.
    return mark_safe(drawn)  # noqa: S308


class EnrolmentPage(Page):
    """Shows a secret as a QR code, takes the first code, and shows the recovery codes once."""

    template_name = "accounts/enrol.html"
    title = "Set up a second factor"
    unsaved = "The second factor is not set up yet."
    is_kept = False
    note: ClassVar[str] = ""
    who: User

    def enrolled(self, request: HttpRequest) -> str:
        """Do what follows; return where one goes on to from the recovery codes."""
        raise NotImplementedError

    @property
    def kept_as(self) -> str:
        """The name by which the session keeps the secret until a code confirms it.

        Each user has its own: who used this browser before has seen another one.
        """
        return f"enrolling {self.who.pk}"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # The same at a reload, so that a telephone that took it already stays right.
        request.session.setdefault(self.kept_as, default_key())
        return self.show(CodeForm())

    def show(self, form: CodeForm, status: int = 200) -> HttpResponse:
        key = self.request.session[self.kept_as]
        uri = otpauth_uri(self.who, key, self.request.get_host())
        context = {"form": form, "qr": qr_code(uri), "secret": secret_text(key), "person": self.who}
        response = self.render_to_response(self.get_context_data(**context), status=status)
        response["Cache-Control"] = "no-store"
        return response

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        key = request.session.get(self.kept_as)
        if key is None:
            # Sent again after it was done.
            return HttpResponseRedirect(reverse("account"))
        form = CodeForm(request.POST)
        if form.is_valid():
            try:
                codes = enrol(self.who, key, form.cleaned_data["code"].replace(" ", ""), self.who)
            except ValidationError as error:
                form.add_error(None, error)
            else:
                del request.session[self.kept_as]
                return show_codes(self, codes, self.enrolled(request))
        return self.show(form, status=422)


def show_codes(page: Page, codes: list[str], next_url: str) -> HttpResponse:
    """Show recovery codes once."""
    return show_once(
        page,
        "accounts/recovery_codes.html",
        title="Your recovery codes",
        codes=codes,
        next_url=next_url,
    )


class EnrolPage(AccountPageMixin, PasswordConfirmedMixin, EnrolmentPage):
    """Sets up a second factor for whoever is signed in."""

    note = (
        "From then on, signing in here takes a code of your telephone beside your password. "
        "Programs go on with tokens; with your password alone they get none any more."
    )

    def load_object(self) -> None:
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


class SecondFactorPage(PasswordRequiredPage):
    """Mixin of pages that change the second factor."""

    def load_object(self) -> None:
        if self.user.second_factor_at is None:
            raise PermissionDenied("You have no second factor: see Account.")


class FactorOffPage(SecondFactorPage):
    """Turns the second factor off."""

    title = "Turn off the second factor"
    button = "Turn off"
    note = "Whoever knows your password can sign in as you from then on. Recovery codes end too."
    unsaved = "The second factor is as it was."

    def act(self) -> HttpResponse:
        remove_factor(self.user, self.user)
        update_session_auth_hash(self.request, self.user)
        return self.redirect_with_message(reverse("account"), "The second factor is turned off.")


class RecoveryCodesPage(SecondFactorPage):
    """Makes new recovery codes, and shows them once."""

    title = "New recovery codes"
    button = "Make new codes"
    note = "The recovery codes that you have now end."
    unsaved = "Your recovery codes are as they were."

    def act(self) -> HttpResponse:
        codes = new_recovery_codes(self.user, self.user)
        return show_codes(self, codes, reverse("account"))
