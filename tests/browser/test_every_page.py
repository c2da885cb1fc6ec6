"""Every page, at both widths and in both themes: it answers, nothing complains, no one is shut out.

The first page is small. Pages are found by the names of their URLs: one that is new must be added
here how it is opened.
"""

import gzip
import re
from urllib.parse import urljoin

import pytest
import requests
from django.urls import reverse

from assets.pages import urlpatterns

from .site import PATIENCE, Api
from .watch import assert_accessible, overflow

pytestmark = pytest.mark.browser

WIDTHS = (1440, 390)
# What a first visit may weigh, compressed.
FIRST_PAGE = 150_000

# Pages that need a key in their URL, and where the API lists what has one.
OF_ASSETS = {
    "data-sample": "/data_sample/",
    "dataset": "/data_manager/",
    "function": "/function/",
    "compute-plan": "/compute_plan/",
    "task": "/task/",
}
# Which of them are one's own pages only, where what is done with them must be one's own.
KIND_OF = {
    "dataset-rename": "dataset",
    "function-rename": "function",
    "function-file": "function",
    "function-try": "function",
    "compute-plan-rename": "compute-plan",
    "compute-plan-cancel": "compute-plan",
    "compute-plan-tasks": "compute-plan",
    "compute-plan-approval": "compute-plan",
    "compute-plan-decline": "compute-plan",
    "function-approval": "function",
    "function-decline": "function",
}
# Who opens a page, when it is not for every member.
FOR = {
    "sign-in": "",
    "user-new": "curie-admin",
    "user": "curie-admin",
    "user-reset": "curie-admin",
    "user-unlock": "curie-admin",
    "users-awaiting": "curie-admin",
    "audit": "curie-admin",
    "organization-new": "root",
    "runner-new": "curie-admin",
    "runner-policy": "curie-admin",
    "approvals": "curie-admin",
    "compute-plan-approval": "curie-admin",
}
# No pages: they answer scripts and forms, or need a secret that other tests have.
NO_PAGES = {
    "sign-out",
    "choices",
    "language",
    "set-password",
    "account-token-revoke",
    # Of who has a second factor, of who is half signed in, of who awaits approval.
    "account-factor-off",
    "account-recovery-codes",
    "sign-in-code",
    "sign-in-enrol",
    "user-factor-reset",
    "user-approve",
    "user-refuse",
    # Another server's.
    "sign-in-oidc",
    "sign-in-oidc-return",
    "compute-plan-graph",
    # Of what one has registered; see `test_approving`.
    "runner",
    "runner-revoke",
    # Of who has tried a function; see `test_trying`.
    "trial",
    # Of who has uploaded a zip; see `test_importing`.
    "import-check",
}
NAMES = [
    pattern.name
    for pattern in urlpatterns
    if pattern.name not in NO_PAGES and not pattern.name.startswith("upload-")
]


def address(name: str, api: Api) -> str:
    """Return where the page is, about what the demo has of Curie's."""
    kind = KIND_OF.get(name, name)
    if kind in OF_ASSETS:
        key = api.all(OF_ASSETS[kind], owner="CurieMSP")[-1]["key"]
        file = {"name": "Dockerfile"} if name == "function-file" else {}
        return reverse(name, kwargs={"key": key, **file})
    if name == "organization":
        return reverse(name, args=["CurieMSP"])
    if name in ("user", "user-reset", "user-unlock"):
        return reverse(name, args=[3])
    return reverse(name)


def look_at(page, url: str) -> None:
    """Open the page at both widths, and look at its colours in both themes."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        response = page.goto(url)
        assert response.status == 200, f"{url} answers {response.status}"
        assert overflow(page) <= 0, f"{url} is too wide for {width} px"
        assert_accessible(page)
    # Themes differ in nothing but colours, and widths differ in none.
    page.emulate_media(color_scheme="dark")
    assert_accessible(page, "color-contrast")


@pytest.mark.parametrize("name", NAMES)
def test_page(visit, api, name):
    look_at(visit(FOR.get(name, "curie-member")), address(name, api))


# Pages that look otherwise for others, with more to show, or with nothing.
OTHERWISE = {
    "home of a viewer": ("curie-viewer", "/"),
    "home of an admin": ("curie-admin", "/"),
    "home of a user without organisation": ("root", "/"),
    "found": ("curie-member", "/search/?q=a"),
    "not found": ("curie-member", "/search/?q=nothing-is-called-so"),
    "list that is filtered": ("curie-member", "/datasets/?q=masses&owner=CurieMSP"),
    "list without matches": ("curie-member", "/datasets/?q=nothing-is-called-so"),
    "form of a viewer": ("curie-viewer", "/datasets/new/"),
}


@pytest.mark.parametrize("case", OTHERWISE)
def test_page_otherwise(visit, case):
    user, url = OTHERWISE[case]
    look_at(visit(user), url)


@pytest.mark.parametrize("name", OF_ASSETS)
def test_page_of_an_asset_of_others(visit, api, name):
    """They may not have its files, which the page says."""
    look_at(visit("charite-member"), address(name, api))


def transferred(browser: requests.Session, url: str) -> bytes:
    """Return what goes over the wire, with its compression."""
    with browser.get(url, stream=True, timeout=PATIENCE) as response:
        response.raise_for_status()
        return response.raw.read(decode_content=False)


@pytest.mark.parametrize("path", ["/sign-in/", "/", "/datasets/", "/datasets/new/"])
def test_first_page_is_small(site, path):
    browser = requests.Session()
    browser.headers["Accept-Encoding"] = "gzip"
    for cookie in [] if path == "/sign-in/" else site.cookies("curie-member"):
        browser.cookies.set(cookie["name"], cookie["value"])
    page = transferred(browser, urljoin(site.url, path))
    html = gzip.decompress(page).decode()
    files = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', html))
    assert len(files) > 4
    weights = {file: len(transferred(browser, urljoin(site.url, file))) for file in files}
    assert sum(weights.values()) + len(page) < FIRST_PAGE, weights
