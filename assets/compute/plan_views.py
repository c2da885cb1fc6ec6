"""Pages that register compute plans and tasks."""

from ..common.pages import Page
from ..organizations.pages import SignedIn


class PlanRegisterPage(SignedIn, Page):
    template_name = "components/stub.html"
    title = "PlanRegisterPage"


class PlanTasksPage(SignedIn, Page):
    template_name = "components/stub.html"
    title = "PlanTasksPage"


class TaskRegisterPage(SignedIn, Page):
    template_name = "components/stub.html"
    title = "TaskRegisterPage"
