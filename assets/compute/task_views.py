"""Pages of tasks."""

from ..common.pages import Page
from ..organizations.pages import SignedIn


class TaskList(SignedIn, Page):
    template_name = "components/stub.html"
    title = "TaskList"


class TaskPage(SignedIn, Page):
    template_name = "components/stub.html"
    title = "TaskPage"
