"""Pages by which one comes in: by a password, by a provider, and by a code as the second step."""

import logging
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views as auth
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.signals import user_login_failed
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from ...common.errors import TooManyAttempts
from ...common.ops.outages import OUTAGES, outage_of
from ...common.ops.sessions import SessionStore
from ...common.pages.base import Page
from ..backends import address_of
from ..forms.sign_in import CodeForm, SignInForm
from ..models import User
from ..registration.failed_sign_ins import log_refused_sign_in
from ..registration.identities import SignInRefused, user_of_identity
from ..rules import shown_name
from ..sign_in import (
    complete_sign_in,
    complete_sign_in_with_code,
    continue_sign_in,
    pending_user,
    second_step_of,
)
from .second_factor import EnrolmentPage

logger = logging.getLogger(__name__)

SESSION_LEFT = (
    "You are signed out in this browser. The server could not delete the session, since its disk "
    "is full or its database does not answer: tell whoever runs it. The session ends by itself."
)
# Where a browser that went to the provider wants to be afterwards.
NEXT = "provider_next"


class SignInPage(auth.LoginView):
    """Signs in by a password; `?next=` says where one wanted to go, on this server."""

    template_name = "accounts/sign_in.html"
    form_class = SignInForm
    redirect_authenticated_user = True
    extra_context = {"title": "Sign in"}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        name = settings.OIDC_NAME if settings.OIDC_ISSUER else ""
        return super().get_context_data(provider=name, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().post(request, *args, **kwargs)
        except TooManyAttempts as error:
            return self.tell(str(error), status=429)

    def tell(self, told: str, *, status: int) -> HttpResponse:
        """Show the page with why one is not signed in."""
        context = self.get_context_data(form=self.form_class(), told=told)
        return self.render_to_response(context, status=status)

    def form_valid(self, form: Any) -> HttpResponse:
        return continue_sign_in(self.request, form.get_user(), self.get_success_url())

    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)


class SignOutView(auth.LogoutView):
    """Signs out; only what is sent does, so that no link and no picture can.

    It works on a full disk: to delete a session often needs no space where to record that it ended
    does, and a browser can always forget its own.
    """

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user = request.user
        try:
            with transaction.atomic():
                return super().post(request, *args, **kwargs)
        except OUTAGES as error:
            if outage_of(error) is None:
                raise
            logger.warning("That user %s signed out is not recorded: %s", user.pk, error)
        try:
            with transaction.atomic():
                request.session.flush()
        except OUTAGES as error:
            logger.warning("The session of user %s cannot be deleted: %s", user.pk, error)
            request.session = SessionStore()
            messages.warning(request, SESSION_LEFT)
        request.user = AnonymousUser()
        return HttpResponseRedirect(self.get_success_url())


class PendingSignInPage(Page):
    """A step that follows the password. A pending sign-in takes its own step and no other."""

    # The name of the page, as `second_step_of` returns it.
    step: ClassVar[str]
    who: User
    next_url: str

    @method_decorator(never_cache)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user, self.next_url = pending_user(request)
        owed = second_step_of(user) if user else ""
        if user is None or owed != self.step:
            return HttpResponseRedirect(reverse(owed or "sign-in"))
        self.who = user
        return super().dispatch(request, *args, **kwargs)


@method_decorator(sensitive_post_parameters(), name="dispatch")
class CodePage(PendingSignInPage):
    """Asks for the code that a telephone shows now, or for a recovery code."""

    template_name = "accounts/code.html"
    step = "sign-in-code"
    title = "Enter your code"
    unsaved = "You are not signed in yet."
    is_kept = False

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.show(CodeForm())

    def show(self, form: CodeForm, status: int = 200) -> HttpResponse:
        form.fields["code"].widget.attrs["autofocus"] = True
        return self.render_to_response(self.get_context_data(form=form), status=status)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = CodeForm(request.POST)
        if not form.is_valid():
            return self.show(form, status=422)
        status = 422
        try:
            wrong = complete_sign_in_with_code(request, self.who, form.cleaned_data["code"])
        except TooManyAttempts as error:
            wrong, status = str(error), 429
        if not wrong:
            return HttpResponseRedirect(self.next_url)
        credentials = {"username": self.who.username}
        user_login_failed.send(__name__, credentials=credentials, request=request)
        form.add_error("code", wrong)
        return self.show(form, status=status)


class SignInEnrolPage(EnrolmentPage, PendingSignInPage):
    """Sets up a second factor on the way in, for those of whom the settings ask one."""

    step = "sign-in-enrol"
    note = "This server asks you for a second factor, beside your password. Set it up now, once."

    def enrolled(self, request: HttpRequest) -> str:
        complete_sign_in(request, self.who)
        return self.next_url


class ProviderPage(SignInPage):
    """The pages of signing in by OpenID Connect; there are none without a provider."""

    http_method_names = ["get"]

    @cached_property
    def provider(self) -> Any:
        """What speaks the protocol: read once it is needed, for it takes long and much memory."""
        from .. import oidc

        return oidc

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not settings.OIDC_ISSUER:
            raise Http404("This server signs nobody in by another provider.")
        return super().dispatch(request, *args, **kwargs)

    def refuse(self, username: str, told: str, *, status: int) -> HttpResponse:
        log_refused_sign_in(username, address_of(self.request))
        credentials = {"username": username}
        user_login_failed.send(__name__, credentials=credentials, request=self.request)
        return self.tell(told, status=status)


class ProviderStart(ProviderPage):
    """Goes to the provider."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        request.session[NEXT] = self.get_success_url()
        try:
            back = request.build_absolute_uri(reverse("sign-in-oidc-return"))
            return self.provider.begin(request, back)
        except self.provider.ProviderError as error:
            self.provider.log(error)
            return self.tell(f"{settings.OIDC_NAME} cannot be asked now. Try later.", status=503)


class ProviderReturn(ProviderPage):
    """Where the provider sends the browser back to."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        next_url = request.session.pop(NEXT, None) or self.get_default_redirect_url()
        try:
            claims = self.provider.read_claims(request)
        except self.provider.ProviderError as error:
            self.provider.log(error)
            told = "You were not signed in: what came from there is not valid, or too old."
            return self.refuse("", f"{told} Try again.", status=400)
        try:
            user = user_of_identity(claims)
        except SignInRefused as error:
            return self.refuse(shown_name(claims), str(error), status=403)
        return continue_sign_in(request, user, next_url, by_provider=True)
