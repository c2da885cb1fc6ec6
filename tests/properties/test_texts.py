"""Any text as name, tag, metadata or identifier comes back as sent, or is refused by name."""

import json
import unicodedata
import uuid

import pytest
from hypothesis import assume, example, given, strategies as st

from assets.compute.models import ComputePlan
from tests import builders

from .helpers import AWKWARD, examples, legal_metadata, legal_names, legal_texts, rolled_back

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

any_texts = st.one_of(
    st.sampled_from(
        (*AWKWARD, "", " ", "\0", "a\nb", "\x7f", "\x85", "\ud800", "é" * 51, "x" * 101)
    ),
    st.text(st.characters(exclude_categories=()), max_size=110),
)
any_metadata = st.dictionaries(any_texts, any_texts, max_size=2)


def is_legal(text: str, *, blank: bool = True) -> bool:
    hidden = any(unicodedata.category(char) in ("Cc", "Cs") for char in text)
    return not hidden and len(text.encode()) <= 100 and (blank or bool(text.strip()))


def is_legal_metadata(metadata: dict[str, str]) -> bool:
    return all(
        key and "__" not in key and is_legal(key) and is_legal(value)
        for key, value in metadata.items()
    )


def illegal_fields(values: dict) -> set[str]:
    checks = {
        "name": lambda name: is_legal(name, blank=False),
        "metadata": is_legal_metadata,
    }
    return {field for field, value in values.items() if not checks.get(field, is_legal)(value)}


def has_surrogate(value) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in json.dumps(value, ensure_ascii=False))


def send_plan(client, values):
    return client.post("/api/compute_plan/", **as_json({"key": str(uuid.uuid4()), **values}))


def as_json(values):
    # In ASCII, because half a character of two cannot be sent otherwise.
    return {"data": json.dumps(values), "content_type": "application/json"}


def send_plan_as_form(client, values):
    """As the browsable pages do: every value a field of a form, metadata as JSON in a text."""
    body = {"key": str(uuid.uuid4()), **values, "metadata": json.dumps(values["metadata"])}
    return client.post("/api/compute_plan/", body, format="multipart")


def send_dataset(client, values):
    files = {
        "data_opener": builders.upload(b"1", "opener.py"),
        "description": builders.upload(b"1", "d.md"),
    }
    # A type is a text like a tag.
    values = {"type" if name == "tag" else name: value for name, value in values.items()}
    return client.post(
        "/api/data_manager/", builders.multipart(values, **files), format="multipart"
    )


INTERFACES = {"plan": send_plan, "plan as a form": send_plan_as_form, "dataset": send_dataset}
texts_of_plan = st.fixed_dictionaries(
    {"name": any_texts, "tag": any_texts, "metadata": any_metadata}
)
legal_texts_of_plan = st.fixed_dictionaries(
    {"name": legal_names, "tag": legal_texts, "metadata": legal_metadata}
)


@pytest.mark.parametrize("send", INTERFACES.values(), ids=INTERFACES)
@examples(40)
@given(values=st.one_of(texts_of_plan, legal_texts_of_plan))
@example({"name": "a", "tag": "", "metadata": {"\ud800": "a"}})
@example({"name": "a", "tag": "", "metadata": {"a": "\ud800"}})
def test_it_comes_back_or_is_named(alice, client_of, send, values):
    if send is send_plan_as_form:  # whose own texts are UTF-8
        assume(not has_surrogate([values["name"], values["tag"]]))
    client = client_of(alice)
    illegal = {field: value for field, value in values.items() if field in illegal_fields(values)}
    with rolled_back():
        answer = send(client, values)
        if not illegal:
            assert answer.status_code == 201, answer.json()
            assert_comes_back(client, answer.json(), values)
            return
        assert answer.status_code == 400, answer.json()
        assert not ComputePlan.objects.exists()
        named = {field.replace("type", "tag") for field in fields_named(answer.json())}
        if has_surrogate(illegal):  # half a character is no JSON, so no field is reached
            assert named <= illegal.keys()
        else:
            assert named == illegal.keys()


def fields_named(answer: dict) -> set[str]:
    """The fields of our problems, or else those of the serializer's."""
    if "problems" in answer:
        return {problem["field"].split(".")[0] for problem in answer["problems"]}
    return set(answer) - {"detail"}


def assert_comes_back(client, answer, values):
    kind = "compute_plan" if "task_count" in answer else "data_manager"
    found = client.get(f"/api/{kind}/{answer['key']}/").json()
    for source in (answer, found):
        tag = source["tag"] if "tag" in source else source["type"]
        assert {"name": source["name"], "tag": tag, "metadata": source["metadata"]} == values


@examples(40)
@given(name=st.one_of(any_texts, legal_names))
def test_another_name_comes_back_or_is_named(alice, client_of, name):
    client, plan = client_of(alice), builders.make_plan(alice)
    with rolled_back():
        answer = client.put(f"/api/compute_plan/{plan.key}/", **as_json({"name": name}))
        legal = is_legal(name, blank=False)
        assert answer.status_code == (200 if legal else 400), answer.json()
        assert legal or has_surrogate(name) or fields_named(answer.json()) == {"name"}
        found = client.get(f"/api/compute_plan/{plan.key}/").json()["name"]
        assert found == (name if legal else plan.name)


@examples(30)
@given(identifiers=st.lists(st.one_of(any_texts, legal_names), min_size=1, max_size=3, unique=True))
def test_identifiers_come_back_or_are_named(alice, client_of, identifiers):
    """Those of a function's inputs; in an error, the field's path ends with the identifier."""
    client = client_of(alice)
    spec = builders.function_spec(inputs=(), outputs=())
    body = builders.wire_function(spec)
    values = json.loads(body["json"])
    values["inputs"] = {name: {"kind": "ASSET_MODEL"} for name in identifiers}
    with rolled_back():
        body["json"] = json.dumps(values)
        answer = client.post("/api/function/", body, format="multipart")
        illegal = [name for name in identifiers if not is_legal(name, blank=False)]
        assert answer.status_code == (400 if illegal else 201), answer.json()
        if not illegal:
            found = client.get(f"/api/function/{answer.json()['key']}/").json()
            assert list(found["inputs"]) == identifiers
        elif not has_surrogate(illegal):
            assert {problem["field"] for problem in answer.json()["problems"]} == {
                f"inputs.{name[:100]}.identifier" for name in illegal
            }
