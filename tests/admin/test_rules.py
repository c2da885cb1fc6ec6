"""Every rule holds in the admin: the cases of the rules, typed into its pages.

What is refused is shown at its field, in the rule's own words, and nothing is stored; above all,
a page never says that something was added beside an error.
"""

import pytest

from tests.rules.cases import Case, everything
from tests.rules.test_datasets import folders  # noqa: F401  a fixture of some cases
from tests.rules.test_texts import IDENTIFIED, IDENTIFIERS

from .cases import first_typable, place_of, samples_of_the_rules, why_untypable
from .interface import AdminInterface, Page, Shown

# What a list of choices says of a key that it does not offer.
NOT_OFFERED = {"invalid_choice", "invalid_pk_value"}

# A row that was left blank is no row.
TYPED = {id: row for id, row in IDENTIFIERS.items() if id not in ("none", "spaces only")}


@pytest.mark.parametrize(("cases", "needs_folders"), samples_of_the_rules())
def test_case(cases: list[Case], needs_folders, admin: AdminInterface, world, request):
    if needs_folders:
        request.getfixturevalue("folders")
    case, asked = first_typable(cases, world, why_untypable)
    page, before = send(admin, world.users[case.by], asked)
    if case.code is None and case.id != "dataset's type: none":
        assert page.accepted, page.errors
    else:
        check_refusal(page, before)
        assert any(shows_problem(case, asked, error, page) for error in page.errors), page.errors


@pytest.mark.parametrize("slot", IDENTIFIED)
@pytest.mark.parametrize(("text", "phrase"), TYPED.values(), ids=TYPED)
def test_identifier(slot, text, phrase, admin, world):
    build, field = IDENTIFIED[slot]
    page, before = send(admin, world.alice, build(world, text))
    if phrase is None:
        assert page.accepted, page.errors
    else:
        check_refusal(page, before)
        (error,) = page.errors
        assert error.place == f"{field}-0-identifier"
        assert phrase.lower() in error.message.lower()


def send(admin: AdminInterface, actor, asked) -> tuple[Page, dict]:
    """Send the form; return the page and all that was stored before."""
    admin.session_of(actor)
    before = everything()
    return admin.send(actor, asked), before


def check_refusal(page: Page, before: dict) -> None:
    """The form shows errors and no success, and nothing was stored."""
    assert page.response.status_code == 200, page.response
    assert "success" not in page.text
    assert "Please correct the error" in page.text or "Nothing was added" in page.text
    assert everything() == before


def shows_problem(case: Case, asked, error: Shown, page: Page) -> bool:
    """Is this error the case's: at its place, with its code, in its words?"""
    if error.code in NOT_OFFERED or error.code == "required":
        return error.message in page.text
    return (
        error.code == case.code.label
        and error.place == place_of(case.field, asked)
        and case.phrase.lower() in error.message.lower()
        and error.message in page.text
    )
