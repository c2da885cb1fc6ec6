"""The jobs of an admin: register a runner, choose what runners run, and decide about a plan."""

import re
from contextlib import contextmanager
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from .test_every_page import WIDTHS
from .test_registering import starred
from .watch import assert_accessible, overflow

pytestmark = pytest.mark.browser


def assert_fits(page) -> None:
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert overflow(page) <= 0, f"{page.url} is too wide for {width} px"
        assert_accessible(page)


def test_register_and_revoke_a_runner(visit):
    name = f"ward {uuid4()}"
    page = visit("charite-admin", permissions=["clipboard-read", "clipboard-write"])
    page.goto("/")
    page.locator(".sidebar").get_by_role("link", name="Runners").click()
    assert_fits(page)
    page.get_by_role("link", name="Register runner").first.click()
    page.get_by_label(starred("Name")).fill(name)
    page.get_by_role("button", name="Register runner").click()
    assert_fits(page)
    page.get_by_role("button", name="Copy the command").click()
    command = page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(r"\S+python manage\.py runner --server http\S+ --token-file \S+", command)

    page.get_by_role("link", name="I have copied it").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    assert_fits(page)
    page.get_by_role("link", name="Revoke").click()
    assert_accessible(page)
    page.get_by_role("button", name="Revoke runner").click()
    expect(page.locator(".messages")).to_contain_text(name)
    expect(page.get_by_role("region", name="Revoked")).to_contain_text(name)


@contextmanager
def asked(page, policy: str):
    """Have the organisation of the page's user ask for approvals."""

    def choose(name: str) -> None:
        page.goto("/runners/policy/")
        page.get_by_role("radio", name=name).check()
        page.get_by_role("button", name="Save").click()
        expect(page.locator(".messages")).to_be_visible()

    choose(policy)
    yield
    choose("everything that is permitted")


def make_plan(site) -> str:
    """Register a plan like one of the demo's tasks on the data of Karolinska; return its name."""
    api = site.api("curie-member")
    (like, *_) = [
        task
        for task in api.all("/task/", worker="KarolinskaMSP", rank="0")
        if all(item["asset_key"] for item in api.get(f"/task/{task['key']}/")["inputs"])
    ]
    task = api.get(f"/task/{like['key']}/")
    names = ("identifier", "asset_key")
    outputs = {
        identifier: {
            "permissions": {"public": output["permissions"]["process"]["public"],
                            "authorized_ids": []},
            "transient": False,
        }
        for identifier, output in task["outputs"].items()
    }  # fmt: skip
    plan = {"key": str(uuid4()), "name": f"Study {uuid4()}"}
    spec = {
        "key": str(uuid4()),
        "function_key": task["function"]["key"],
        "worker": task["worker"],
        "inputs": [{name: item[name] for name in names} for item in task["inputs"]],
        "outputs": outputs,
    }
    api.post("/compute_plan/", {**plan, "tasks": [spec]})
    return plan["name"]


def test_approve_one_plan_and_decline_another(visit, site):
    good, bad = make_plan(site), make_plan(site)
    page = visit("karolinska-admin")
    with asked(page, "only compute plans"):
        page.locator(".sidebar").get_by_role("link", name="Approvals").click()
        assert_fits(page)
        page.get_by_role("link", name=f"Review {good}").click()
        expect(page.get_by_text("may leave KarolinskaMSP")).to_be_visible()
        assert_fits(page)
        page.get_by_role("button", name="Approve").click()
        expect(page.locator(".messages")).to_contain_text(good)
        decided = page.get_by_role("region", name="Decided").get_by_role("row")
        expect(decided.filter(has_text=good)).to_contain_text("approved")

        waiting = visit("curie-member")
        waiting.goto(f"/search/?q={bad}")
        waiting.get_by_role("link", name=bad).first.click()
        expect(waiting.get_by_text("Waits for approval by KarolinskaMSP.")).to_be_visible()

        page.get_by_role("link", name=f"Review {bad}").click()
        page.get_by_role("link", name="Decline").click()
        page.get_by_label(starred("Reason")).fill("Ask the ethics board first.")
        assert_fits(page)
        page.get_by_role("button", name="Decline").click()
        expect(decided.filter(has_text=bad)).to_contain_text("Ask the ethics board first.")

        waiting.reload()
        declined = waiting.get_by_text("Declined by KarolinskaMSP: Ask the ethics board first.")
        expect(declined.first).to_be_visible()


def test_approve_without_scripts(visit, site):
    name = make_plan(site)
    page = visit("karolinska-admin", scripts=False, width=390)
    with asked(page, "only compute plans"):
        page.goto("/approvals/")
        page.get_by_role("link", name=f"Review {name}").click()
        page.get_by_role("button", name="Approve").click()
        expect(page.locator(".messages")).to_contain_text(name)
