"""Every rule holds on the pages: the cases of the rules, typed into the forms.

What is refused is shown at its field, in the rule's own words, and nothing is registered.
"""

import pytest

from assets.compute.specs import ComputePlanSpec
from assets.datasets.specs import DataSampleSpec
from tests.admin.cases import first_typable, place_of, samples_of_the_rules
from tests.admin.interface import Page, Shown
from tests.rules.cases import Case, everything
from tests.rules.requests import Cancel, Request, Tasks
from tests.rules.test_datasets import folders  # noqa: F401  a fixture of some cases

from .interface import PagesInterface

# What a list of choices says of a key that it does not offer.
NOT_OFFERED = {"invalid_choice", "invalid_pk_value"}


def why_untypable(request: Request) -> str:
    """Say why no person can send this through the pages; blank when one can."""
    match request:
        case Cancel():
            return "cancelling has a page without fields, and tests of its own"
        case Tasks(specs=specs) if not specs or not specs[0].compute_plan_key:
            return "a batch is typed at the page of its plan"
        case DataSampleSpec(data_manager_keys=keys) if len(keys) != len(set(keys)):
            return "a list of choices takes each once"
    first = request.specs[0] if isinstance(request, Tasks) else request
    if isinstance(getattr(first, "metadata", None), list) and not isinstance(request, Tasks):
        return "a text area holds lines or an object"
    return ""


@pytest.mark.parametrize(("cases", "needs_folders"), samples_of_the_rules())
def test_case(cases: list[Case], needs_folders, pages: PagesInterface, world, request):
    if needs_folders:
        request.getfixturevalue("folders")
    case, asked = first_typable(cases, world, why_untypable)
    actor = world.users[case.by]
    pages.session_of(actor)
    before = everything()
    page = pages.send(actor, asked)
    if case.code is None and case.id != "dataset's type: none":
        assert page.accepted, page.errors or page.text
        return
    assert everything() == before
    if page.response.status_code in (403, 404):
        # Of a plan or a sample that is another's, or is not there: there is no form for it.
        return
    assert page.response.status_code == 422, page.response
    reported = [error for error in page.errors if _is_shown(case, asked, error, page)]
    assert reported or _is_why_not(case, page), page.errors


def _is_why_not(case: Case, page: Page) -> bool:
    """Is the page without a form, and says why in the rule's words?"""
    why_not = page.response.context.get("why_not", "")
    return bool(why_not) and case.phrase.lower() in why_not.lower()


def _is_shown(case: Case, asked: Request, error: Shown, page: Page) -> bool:
    """Is this error the case's: at its place, with its code, in its words?"""
    if error.code in NOT_OFFERED or error.code == "required":
        return error.message in page.text
    if isinstance(asked, Tasks | ComputePlanSpec) and case.field.startswith("tasks"):
        places = [case.field]
    elif case.field == "data_sample_keys":
        places = ["data_samples"]
    else:
        places = [place_of(case.field, asked)] if case.field else ["", "__all__"]
    return (
        error.code == case.code.label
        and error.place in places
        and case.phrase.lower() in error.message.lower()
        and error.message in page.text
    )
