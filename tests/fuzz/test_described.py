"""Whatever the API is sent, it answers as its description says, and it never fails.

Schemathesis makes requests of the description, right and wrong ones; `make fuzz` makes many more.
"""

import pytest
from hypothesis import given, strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.properties.helpers import examples, rolled_back

from .conftest import ROLES, RUNNER, description, key_for

pytestmark = pytest.mark.django_db

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
OPERATIONS = [
    (method.upper(), path) for path, item in description()["paths"].items() for method in item
]
operations = pytest.mark.parametrize(("method", "path"), OPERATIONS)


def answer_of(case: Case, headers: dict[str, str]):
    """Send the request, and hold the answer against the description; nothing of it stays."""
    with rolled_back():
        answer = case.call(headers=headers, base_url="http://testserver")
    case.validate_response(answer, checks=CHECKS)
    return answer


@operations
def test_anything_is_answered_as_described(api, known, headers_of, method, path):
    operation = api[path][method]
    headers = [headers_of(role) for role in (*ROLES, RUNNER)]
    right, wrong = (operation.as_strategy(mode) for mode in GenerationMode)

    @examples(5)
    @given(case=st.one_of(right, wrong), names_what_is_there=st.booleans())
    def ask(case, names_what_is_there):
        if names_what_is_there:
            case.path_parameters = dict.fromkeys(case.path_parameters, key_for(path, known))
        for who in headers:
            answer_of(case, who)

    ask()
