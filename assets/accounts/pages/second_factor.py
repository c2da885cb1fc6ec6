"""Pages that set up, change and turn off the user's own second factor."""

from base64 import b32encode
from binascii import unhexlify
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote, urlencode

import segno
from django.contrib.auth import update_session_auth_hash
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, gettext_lazy as _
from django_otp.plugins.otp_totp.models import default_key

from ...common.pages.base import Page
from ..forms.sign_in import CodeForm
from ..models import User
from ..registration.second_factor import enrol, new_recovery_codes, remove_factor
from .account import AccountPageMixin, PasswordRequiredPage
from .base import PasswordConfirmedMixin, show_once

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

ISSUER = "Registrar"


def secret_text(key: str) -> str:
    """Return the secret in base 32, in groups of four letters, for typing into an app."""
    text = b32encode(unhexlify(key)).decode()
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def otpauth_uri(user: User, key: str, host: str) -> str:
    """Return the URI of the QR code: the secret, and its label in the authenticator app."""
    label = quote(f"{ISSUER}:{user.username}@{host}")
    query = urlencode({"secret": secret_text(key).replace(" ", ""), "issuer": ISSUER})
    return f"otpauth://totp/{label}?{query}"


def qr_code(text: str) -> SafeString:
    """Return the QR code as SVG; dark on light in every theme, as cameras expect."""
    drawn = segno.make(text, error="m").svg_inline(scale=5, border=4, light="#fff", omitsize=False)
    # The SVG has only numbers and our own constants, no text of a user.
    return mark_safe(drawn)  # noqa: S308


class EnrolmentPage(Page):
    """Shows a secret as a QR code, checks the first code, and shows the recovery codes once."""

    template_name = "accounts/enrol.html"
    title = _("Set up a second factor")
    unsaved = _("The second factor was not set up.")
    is_kept = False
    note: "ClassVar[StrOrPromise]" = ""
    # The user who sets it up.
    person: User

    def enrolled(self, request: HttpRequest) -> str:
        """Finish; return the URL that follows the recovery codes."""
        raise NotImplementedError

    @property
    def session_key(self) -> str:
        """The session's key for the secret; another user of this browser gets another secret."""
        return f"enrolling {self.person.pk}"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # A reload shows the same secret, which the app may have already.
        request.session.setdefault(self.session_key, default_key())
        return self.show(CodeForm())

    def show(self, form: CodeForm, status: int = 200) -> HttpResponse:
        key = self.request.session[self.session_key]
        uri = otpauth_uri(self.person, key, self.request.get_host())
        context = {
            "form": form,
            "qr": qr_code(uri),
            "secret": secret_text(key),
            "person": self.person,
        }
        response = self.render_to_response(self.get_context_data(**context), status=status)
        response["Cache-Control"] = "no-store"
        return response

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        key = request.session.get(self.session_key)
        if key is None:
            # The form was sent twice, and the first request set up the second factor.
            return HttpResponseRedirect(reverse("account"))
        form = CodeForm(request.POST)
        if form.is_valid():
            code = form.cleaned_data["code"].replace(" ", "")
            try:
                codes = enrol(self.person, key, code, self.person)
            except ValidationError as error:
                form.add_error(None, error)
            else:
                del request.session[self.session_key]
                return show_codes(self, codes, self.enrolled(request))
        return self.show(form, status=422)


def show_codes(page: Page, codes: list[str], next_url: str) -> HttpResponse:
    """Return a page that shows recovery codes once."""
    context = {"title": gettext("Your recovery codes"), "codes": codes, "next_url": next_url}
    return show_once(page, "accounts/recovery_codes.html", **context)


class EnrolPage(AccountPageMixin, PasswordConfirmedMixin, EnrolmentPage):
    """Sets up a second factor for the signed-in user."""

    note = _(
        "Signing in here will then require a code from your phone besides your password. Programs "
        "keep working with tokens, but can no longer get one with your password alone."
    )

    def load_object(self) -> None:
        self.person = self.user
        if self.user.second_factor_at is not None:
            raise PermissionDenied(gettext("You have a second factor already. Turn it off first."))
        if not self.user.has_usable_password():
            raise PermissionDenied(
                gettext("You sign in with a provider. Set up a second factor there.")
            )

    def enrolled(self, request: HttpRequest) -> str:
        update_session_auth_hash(request, self.user)
        return reverse("account")


class SecondFactorPage(PasswordRequiredPage):
    """Base of pages that change the second factor."""

    def load_object(self) -> None:
        if self.user.second_factor_at is None:
            raise PermissionDenied(
                gettext("You have no second factor. You can set one up under Account.")
            )


class FactorOffPage(SecondFactorPage):
    """Turns the second factor off."""

    title = _("Turn off the second factor")
    button = _("Turn off")
    note = _("Anyone who knows your password can then sign in as you. Recovery codes end too.")
    unsaved = _("The second factor is still on.")

    def act(self) -> HttpResponse:
        remove_factor(self.user, self.user)
        update_session_auth_hash(self.request, self.user)
        message = gettext("The second factor is turned off.")
        return self.redirect_with_message(reverse("account"), message)


class RecoveryCodesPage(SecondFactorPage):
    """Creates new recovery codes, and shows them once."""

    title = _("New recovery codes")
    button = _("Create new codes")
    note = _("Your present recovery codes stop working.")
    unsaved = _("Your recovery codes were not changed.")

    def act(self) -> HttpResponse:
        codes = new_recovery_codes(self.user, self.user)
        return show_codes(self, codes, reverse("account"))
