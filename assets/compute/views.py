"""Pages of compute plans."""

from ..common.pages import Page
from ..organizations.pages import SignedIn


class ComputePlanList(SignedIn, Page):
    template_name = "components/stub.html"
    title = "ComputePlanList"


class ComputePlanPage(SignedIn, Page):
    template_name = "components/stub.html"
    title = "ComputePlanPage"


class ComputePlanRenamePage(SignedIn, Page):
    template_name = "components/stub.html"
    title = "ComputePlanRenamePage"


class ComputePlanCancelPage(SignedIn, Page):
    template_name = "components/stub.html"
    title = "ComputePlanCancelPage"


class ComputePlanGraph(SignedIn, Page):
    template_name = "components/stub.html"
    title = "ComputePlanGraph"
