"""A server, Chromium, and visitors whose pages are watched.

Django asks no database in a process while Playwright runs in it: Chromium ends with this folder's
tests, and they see rows through the API.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from .site import Api, Site, served
from .watch import Watch

CHROMIUM = Path("/usr/bin/chromium")
# As quiet as it can be: it asks no one but the server.
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
PATIENCE = 20_000  # milliseconds; what does not come fails its test
expect.set_options(timeout=PATIENCE)

Visit = Callable[..., Page]


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        missing = f"there is no {CHROMIUM} here: install the package chromium"
        in_ci = os.environ.get("CI", "").lower() not in ("", "0", "false")
        (pytest.fail if in_ci else pytest.skip)(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture
def visit(chromium: Browser, site: Site) -> Iterator[Visit]:
    """Return what opens a browser of a user's own, signed in unless there is no user."""
    watch, contexts = Watch(), []

    def open_browser(
        user: str = "curie-member", *, width: int = 1440, scripts: bool = True, **options: Any
    ) -> Page:
        context = chromium.new_context(
            base_url=site.url,
            viewport={"width": width, "height": 900},
            java_script_enabled=scripts,
            # A colour that is still changing is no colour that one reads.
            reduced_motion="reduce",
            **options,
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        watch.over(context)
        if user:
            context.add_cookies(site.cookies(user))
        return context.new_page()

    site.news()  # what was logged before is no news to this test
    yield open_browser
    for context in contexts:
        context.close()
    assert not watch.complaints, "\n".join(watch.complaints)


@pytest.fixture
def api(site: Site) -> Api:
    """What the API says to a member of Curie."""
    return site.api("curie-member")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    """Show what the server has logged during a test that fails."""
    report = yield
    site = getattr(item, "funcargs", {}).get("site")
    if report.failed and site:
        report.sections.append(("What the server says", site.news()))
    return report
