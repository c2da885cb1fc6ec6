"""Pages of signing in: with a password, with a provider, and with a code as the second step."""

import logging
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views as auth
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.utils.translation import gettext, gettext_lazy as _
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

SESSION_LEFT = _(
    "You are signed out in this browser, but the server could not delete the session: its disk is "
    "full or its database does not answer. Ask the operator for help. "
    "The session expires by itself."
)
# The session's key for the URL to go to after the provider.
NEXT = "provider_next"


class SignInPage(auth.LoginView):
    """Signs in with a password, and redirects to `?next=` on this server."""

    template_name = "accounts/sign_in.html"
    form_class = SignInForm
    redirect_authenticated_user = True
    extra_context = {"title": _("Sign in")}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        name = settings.OIDC_NAME if settings.OIDC_ISSUER else ""
        return super().get_context_data(provider=name, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().post(request, *args, **kwargs)
        except TooManyAttempts as error:
            return self.show_refusal(str(error), status=429)

    def show_refusal(self, reason: str, *, status: int) -> HttpResponse:
        """Return the page with the reason why the visitor is not signed in."""
        context = self.get_context_data(form=self.form_class(), reason=reason)
        return self.render_to_response(context, status=status)

    def form_valid(self, form: Any) -> HttpResponse:
        return continue_sign_in(self.request, form.get_user(), self.get_success_url())

    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)


class SignOutView(auth.LogoutView):
    """Signs out by POST only, so that no link and no image can.

    It works on a full disk: deleting a session may need no space even where logging the event does,
    and the browser can always drop its cookie.
    """

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user = request.user
        try:
            with transaction.atomic():
                return super().post(request, *args, **kwargs)
        except OUTAGES as error:
            if outage_of(error) is None:
                raise
            logger.warning("The sign-out of user %s is not logged: %s", user.pk, error)
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
    """Base of the steps that follow the password; redirects to the step that is due."""

    # The URL name, as `second_step_of` returns it.
    step: ClassVar[str]
    person: User
    next_url: str

    @method_decorator(never_cache)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user, self.next_url = pending_user(request)
        due = second_step_of(user) if user else ""
        if user is None or due != self.step:
            return HttpResponseRedirect(reverse(due or "sign-in"))
        self.person = user
        return super().dispatch(request, *args, **kwargs)


@method_decorator(sensitive_post_parameters(), name="dispatch")
class CodePage(PendingSignInPage):
    """Asks for a code of the authenticator app, or for a recovery code."""

    template_name = "accounts/code.html"
    step = "sign-in-code"
    title = _("Enter your code")
    unsaved = _("You are not signed in yet.")
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
            wrong = complete_sign_in_with_code(request, self.person, form.cleaned_data["code"])
        except TooManyAttempts as error:
            wrong, status = str(error), 429
        if not wrong:
            return HttpResponseRedirect(self.next_url)
        form.add_error("code", wrong)
        return self.show(form, status=status)


class SignInEnrolPage(EnrolmentPage, PendingSignInPage):
    """Sets up a second factor while signing in, if the settings require one."""

    step = "sign-in-enrol"
    note = _("This server requires a second factor besides your password. Set it up now.")

    def enrolled(self, request: HttpRequest) -> str:
        complete_sign_in(request, self.person)
        return self.next_url


class ProviderPage(SignInPage):
    """Base of the pages of OpenID Connect; not found if the settings have no provider."""

    http_method_names = ["get"]

    @cached_property
    def provider(self) -> Any:
        """The module of the protocol, imported when needed: it takes long and much memory."""
        from .. import oidc

        return oidc

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not settings.OIDC_ISSUER:
            raise Http404(gettext("This server has no sign-in provider."))
        return super().dispatch(request, *args, **kwargs)

    def refuse(self, username: str, reason: str, *, status: int) -> HttpResponse:
        log_refused_sign_in(username, address_of(self.request))
        return self.show_refusal(reason, status=status)


class ProviderStart(ProviderPage):
    """Redirects to the provider."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        request.session[NEXT] = self.get_success_url()
        try:
            return_url = request.build_absolute_uri(reverse("sign-in-oidc-return"))
            return self.provider.begin(request, return_url)
        except self.provider.ProviderError as error:
            self.provider.log(error)
            message = gettext("%(provider)s does not respond. Try again later.")
            return self.show_refusal(message % {"provider": settings.OIDC_NAME}, status=503)


class ProviderReturn(ProviderPage):
    """Receives the browser back from the provider."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        next_url = request.session.pop(NEXT, None) or self.get_default_redirect_url()
        try:
            claims = self.provider.read_claims(request)
        except self.provider.ProviderError as error:
            self.provider.log(error)
            reason = gettext("The provider's answer is not valid or too old. Try again.")
            return self.refuse("", reason, status=400)
        try:
            user = user_of_identity(claims)
        except SignInRefused as error:
            return self.refuse(shown_name(claims), str(error), status=403)
        return continue_sign_in(request, user, next_url, by_provider=True)
