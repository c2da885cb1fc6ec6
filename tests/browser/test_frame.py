"""What every page has: sign-in, the search, menus, the theme."""

import re

import pytest
from playwright.sync_api import expect

from assets.demo.hospitals import PASSWORD

from .watch import assert_accessible

pytestmark = pytest.mark.browser


def test_sign_in_and_out(visit):
    page = visit("")
    page.goto("/datasets/")
    assert_accessible(page)

    page.get_by_label("Username").fill("curie-viewer")
    page.get_by_label("Password").fill("not this one")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Incorrect user name or password")).to_be_visible()
    assert_accessible(page)

    page.get_by_label("Username").fill("curie-viewer")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile("/datasets/$"))

    page.locator(".account-menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/sign-in/"))
    page.goto("/datasets/")
    expect(page).to_have_url(re.compile("/sign-in/"))


def test_search_by_keyboard(visit):
    page = visit()
    page.goto("/")
    page.keyboard.press("/")
    search = page.get_by_role("searchbox", name="Search keys and names")
    expect(search).to_be_focused()
    page.keyboard.type("masses")
    suggestions = page.locator("#search-suggestions a")
    expect(suggestions).to_have_count(3)
    assert_accessible(page)

    page.keyboard.press("ArrowDown")
    expect(suggestions.first).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(search).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/search/\?q=masses"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Results for “masses”")


def test_suggestions_go_by_escape(visit):
    page = visit()
    page.goto("/")
    page.get_by_role("searchbox", name="Search keys and names").press_sequentially("masses")
    suggestions = page.locator("#search-suggestions a")
    suggestions.first.focus()
    page.keyboard.press("Escape")
    expect(suggestions).to_have_count(0)


def test_key_leads_to_its_page(visit, api):
    dataset = api.all("/data_manager/")[0]
    page = visit()
    page.goto("/")
    page.get_by_role("searchbox", name="Search keys and names").fill(dataset["key"])
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/datasets/{dataset['key']}/"))


def test_slash_is_a_letter_where_one_types(visit):
    page = visit()
    page.goto("/datasets/new/")
    name = page.get_by_label("Name").first
    name.fill("")
    name.press("/")
    expect(name).to_have_value("/")


def test_theme_follows_the_system_until_it_is_chosen(visit):
    page = visit(color_scheme="dark")
    page.goto("/")
    root = page.locator("html")
    expect(root).to_have_attribute("data-bs-theme", "dark")
    page.emulate_media(color_scheme="light")
    expect(root).to_have_attribute("data-bs-theme", "light")

    page.locator(".account-menu summary").click()
    page.get_by_label("Theme").select_option("dark")
    expect(root).to_have_attribute("data-bs-theme", "dark")
    page.goto("/datasets/")
    expect(root).to_have_attribute("data-bs-theme", "dark")


def test_menu_on_a_narrow_screen(visit):
    page = visit(width=390)
    page.goto("/")
    page.locator(".topbar-nav summary").click()
    assert_accessible(page)
    page.locator(".topbar-nav").get_by_role("link", name="Functions").click()
    expect(page).to_have_url(re.compile("/functions/$"))


def test_menus_close_by_escape(visit):
    page = visit()
    page.goto("/")
    menu = page.locator(".account-menu")
    menu.locator("summary").click()
    page.keyboard.press("Escape")
    expect(menu).not_to_have_attribute("open", "")
    expect(menu.locator("summary")).to_be_focused()


def test_skip_link_leads_to_the_content(visit):
    page = visit()
    page.goto("/datasets/")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_moments_follow_the_zone_of_who_looks(visit):
    page = visit("curie-admin", timezone_id="Europe/Paris")
    page.goto("/datasets/")
    row = page.locator("tbody tr").first.locator("time.moment")
    age, utc = row.locator("[aria-hidden]"), row.locator(".visually-hidden")
    expect(age).to_have_text(re.compile(r"^(just now|\d+ (minute|hour)s? ago)$"))
    expect(utc).to_have_text(re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$"))
    expect(row).to_have_attribute("title", re.compile(r" CES?T, .* UTC$"))
    page.locator("tbody a").first.click()
    exact = page.locator(".facts time.moment")
    expect(exact.locator("[aria-hidden]")).to_have_text(re.compile(r":\d\d CES?T$"))
    assert_accessible(page)

    # What a filter shows is shown alike, and its days are those of Paris.
    page.goto("/audit/")
    page.get_by_label("Since").fill("2020-01-01")
    expect(page.locator(".chips")).to_contain_text("Since: 2020-01-01 (Europe/Paris)")
    first = page.locator("tbody time.moment [aria-hidden]").first
    expect(first).to_have_text(re.compile(r":\d\d CES?T$"))
    page.reload()
    expect(page.get_by_text("Since (Europe/Paris)")).to_be_visible()
    expect(page.locator("tbody time.moment [aria-hidden]").first).to_have_text(
        re.compile(r":\d\d CES?T$")
    )


def test_moments_are_utc_without_scripts(visit):
    page = visit(scripts=False)
    page.goto("/datasets/")
    expect(page.locator("tbody time").first).to_have_text(re.compile(r":\d\d UTC$"))
    expect(page.get_by_text("Registered since (UTC)")).to_be_visible()
