"""Home and search."""

from ..common.pages import Page
from ..organizations.pages import SignedIn


class HomePage(SignedIn, Page):
    template_name = "components/stub.html"
    title = "HomePage"


class SearchPage(SignedIn, Page):
    template_name = "components/stub.html"
    title = "SearchPage"
