"""Activity."""

from ..common.pages import Page
from ..organizations.pages import SignedIn


class ActivityList(SignedIn, Page):
    template_name = "components/stub.html"
    title = "ActivityList"
