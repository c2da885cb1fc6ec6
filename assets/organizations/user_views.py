"""Organisations and users."""

from ..common.pages import Page
from ..organizations.pages import SignedIn


class OrganizationList(SignedIn, Page):
    template_name = "components/stub.html"
    title = "OrganizationList"


class OrganizationNewPage(SignedIn, Page):
    template_name = "components/stub.html"
    title = "OrganizationNewPage"


class OrganizationPage(SignedIn, Page):
    template_name = "components/stub.html"
    title = "OrganizationPage"


class UserList(SignedIn, Page):
    template_name = "components/stub.html"
    title = "UserList"


class UserNewPage(SignedIn, Page):
    template_name = "components/stub.html"
    title = "UserNewPage"


class UserPage(SignedIn, Page):
    template_name = "components/stub.html"
    title = "UserPage"


class UserResetPage(SignedIn, Page):
    template_name = "components/stub.html"
    title = "UserResetPage"
