"""Pages of functions."""

from ..common.pages import Page
from ..organizations.pages import SignedIn


class FunctionList(SignedIn, Page):
    template_name = "components/stub.html"
    title = "FunctionList"


class FunctionRegisterPage(SignedIn, Page):
    template_name = "components/stub.html"
    title = "FunctionRegisterPage"


class FunctionPage(SignedIn, Page):
    template_name = "components/stub.html"
    title = "FunctionPage"


class FunctionRenamePage(SignedIn, Page):
    template_name = "components/stub.html"
    title = "FunctionRenamePage"


class FunctionFilePage(SignedIn, Page):
    template_name = "components/stub.html"
    title = "FunctionFilePage"


class FunctionUpload(SignedIn, Page):
    template_name = "components/stub.html"
    title = "FunctionUpload"
