"""Signing in, the account, tokens."""

from ..common.pages import Page
from ..organizations.pages import SignedIn


class AccountPage(SignedIn, Page):
    template_name = "components/stub.html"
    title = "AccountPage"


class PasswordPage(SignedIn, Page):
    template_name = "components/stub.html"
    title = "PasswordPage"


class TokenPage(SignedIn, Page):
    template_name = "components/stub.html"
    title = "TokenPage"


class TokenRevokePage(SignedIn, Page):
    template_name = "components/stub.html"
    title = "TokenRevokePage"


class ChoicesView(SignedIn, Page):
    template_name = "components/stub.html"
    title = "ChoicesView"


class SetPasswordPage(SignedIn, Page):
    template_name = "components/stub.html"
    title = "SetPasswordPage"


from django.contrib.auth import views as auth  # noqa: E402


class SignInPage(auth.LoginView):
    template_name = "organizations/sign_in.html"


class SignOutView(auth.LogoutView):
    pass
