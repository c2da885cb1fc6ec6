"""Pages that are watched: for errors in the console, and for barriers that axe finds."""

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import BrowserContext, ConsoleMessage, Page

NO_COMPLAINTS = (
    # A form that is not right answers so, which Chromium reports as any failed request.
    "the server responded with a status of 422",
    # One types on while an answer is under way: the newer request takes its place.
    "htmx:sendAbort",
    "htmx:afterRequest",
)
REPORT_VIOLATIONS = """document.addEventListener("securitypolicyviolation", (event) =>
    console.error(`CSP: ${event.violatedDirective} forbids ${event.blockedURI}`))"""
SERIOUS = ("serious", "critical")


class Watch:
    """Remembers what was wrong on the pages of a test."""

    def __init__(self) -> None:
        self.complaints: list[str] = []

    def over(self, context: BrowserContext) -> None:
        context.add_init_script(REPORT_VIOLATIONS)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.complaints.append(f"script: {error.error}"))

    def _console(self, message: ConsoleMessage) -> None:
        is_fine = any(text in message.text for text in NO_COMPLAINTS)
        if message.type == "error" and not is_fine:
            where = message.page.url if message.page else ""
            self.complaints.append(f"{where}: {message.text}")


def barriers(page: Page, *rules: str) -> list[str]:
    """Return what axe, or these rules of it, finds serious or critical on the page."""
    options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    if not page.evaluate("() => 'axe' in window"):
        # Evaluated, not added to the page: its policy would refuse the script.
        page.evaluate(AXE_SCRIPT)
    found = page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{violation['id']} ({violation['impact']}): {violation['help']}\n{_nodes(violation)}"
        for violation in found["violations"]
        if violation["impact"] in SERIOUS
    ]


def _nodes(violation: dict[str, Any]) -> str:
    return "\n".join(
        f"    {node['target'][-1]}\n        {node['html'][:160]}\n        "
        + node["failureSummary"].replace("\n", "\n        ")
        for node in violation["nodes"][:5]
    )


def assert_accessible(page: Page, *rules: str) -> None:
    found = barriers(page, *rules)
    assert not found, f"{page.url}\n" + "\n".join(found)


def overflow(page: Page) -> int:
    """Return by how many pixels the page is wider than its window."""
    return page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
