"""Pages of data samples."""

from ..common.pages import Page
from ..organizations.pages import SignedIn


class DataSampleList(SignedIn, Page):
    template_name = "components/stub.html"
    title = "DataSampleList"


class DataSampleRegisterPage(SignedIn, Page):
    template_name = "components/stub.html"
    title = "DataSampleRegisterPage"


class LinkPage(SignedIn, Page):
    template_name = "components/stub.html"
    title = "LinkPage"


class DataSamplePage(SignedIn, Page):
    template_name = "components/stub.html"
    title = "DataSamplePage"


class DataSampleUpload(SignedIn, Page):
    template_name = "components/stub.html"
    title = "DataSampleUpload"
