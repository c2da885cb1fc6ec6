"""How a second factor is set up: the same steps for who is signed in and for who is on the way."""

from base64 import b32encode
from binascii import unhexlify
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

import segno
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django_otp.plugins.otp_totp.models import default_key

from ..common.pages.base import Page
from ..organizations.models import User
from ..organizations.pages import show_once
from .forms import CodeForm
from .registration import enrol

ISSUER = "Registrar"


def secret_text(key: str) -> str:
    """Return the secret as telephones take it by hand, in groups of four."""
    text = b32encode(unhexlify(key)).decode()
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def telephone_uri(user: User, key: str, host: str) -> str:
    """Return what the QR code says: the secret, and what the telephone shall call it."""
    label = quote(f"{ISSUER}:{user.username}@{host}")
    query = urlencode({"secret": secret_text(key).replace(" ", ""), "issuer": ISSUER})
    return f"otpauth://totp/{label}?{query}"


def qr_code(text: str) -> SafeString:
    """Draw it; dark on light in every theme, as cameras expect."""
    drawn = segno.make(text, error="m").svg_inline(scale=5, border=4, light="#fff", omitsize=False)
    # Made of numbers and our own constants: nothing in it is what anybody typed.
    return mark_safe(drawn)  # noqa: S308


class Enrolling(Page):
    """Shows a secret as a QR code, takes the first code, and shows the recovery codes once."""

    template_name = "sign_in/enrol.html"
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
        uri = telephone_uri(self.who, key, self.request.get_host())
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
        "sign_in/recovery_codes.html",
        title="Your recovery codes",
        codes=codes,
        next_url=next_url,
    )
