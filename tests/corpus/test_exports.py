"""Exports for spreadsheets: no cell begins a formula, whoever wrote it and wherever it is."""

import csv
import io

import pytest
from django.urls import reverse

from assets.accounts.models import Role
from assets.accounts.registration.organizations import create_organization
from assets.accounts.registration.users import create_user
from assets.datasets.models import DataSample
from tests import builders
from tests.cast import PASSWORD
from tests.pages.test_attacks import LISTS

pytestmark = pytest.mark.django_db

FORMULAS = ("=", "+", "-", "@", "\t", "\r")


@pytest.fixture
def written_by(request, ada):
    """Everything that has a name begins with what a spreadsheet would run; its user does too."""

    def make(start: str):
        # A user's name takes fewer characters than an asset's.
        username = f"{start}SUM" if start in "+-@" else "plain"
        user = create_user(
            username, organization=ada.organization, role=Role.MEMBER, password=PASSWORD
        )
        create_organization("EvilMSP", name=f"{start}1+1")
        text = f"{start}1+cmd|' /C calc'!A0"
        metadata = {text: text}
        dataset = builders.make_dataset(user, name=text, type=text, metadata=metadata)
        samples = builders.make_samples(user, dataset.key)
        output = builders.FunctionOutputSpec(text, "ASSET_PERFORMANCE")
        function = builders.make_function(
            user, name=text, metadata=metadata, outputs=(builders.MODEL_OUTPUT, output)
        )
        task = builders.training_task(dataset, samples, function, tag=text, metadata=metadata)
        task.outputs[text] = builders.OutputSpec(builders.PUBLIC)
        builders.make_plan(user, task, name=text, tag=text, metadata=metadata)
        builders.make_performance(task.key, 0.5, identifier=text)
        assert DataSample.objects.exists()
        return text

    return make


def cells(answer) -> list[list[str]]:
    text = answer.getvalue().decode("utf-8-sig") if answer.streaming else answer.content.decode()
    return list(csv.reader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_no_cell_of_an_export_begins_a_formula(session_of, client_of, ada, written_by, start):
    text = written_by(start)
    browser, client, shown = session_of(ada), client_of(ada), 0
    # Signing in is recorded in the audit trail, also when it fails, by whatever name.
    browser.post("/sign-in/", {"username": text, "password": "x"})
    every = (
        "name,type,tag,metadata,creator,function,compute_plan,actor_name,username,asset,owner,"
        "detail,address,organization,key"
    )
    for name in LISTS:
        answer = browser.get(reverse(name), {"export": "csv", "columns": every})
        assert answer.status_code == 200, name
        rows = cells(answer)
        shown += sum(cell.startswith(f"'{start}") for row in rows for cell in row)
        assert [cell for row in rows for cell in row if cell.startswith(FORMULAS)] == [], name
    assert shown > 8
    rows = cells(client.get("/api/performance/export/", {"metadata_columns": text}))
    assert len(rows) == 2
    assert [cell for row in rows for cell in row if cell.startswith(FORMULAS)] == []


@pytest.mark.parametrize("start", ["\t", "\r", "\n"])
def test_what_begins_with_a_control_character_is_no_name(client_of, alice, start):
    body = builders.wire_plan(builders.plan_spec(name=f"{start}=1+1"))
    answer = client_of(alice).post("/api/compute_plan/", body, format="json")
    assert answer.status_code == 400
    assert answer.json()["problems"][0]["field"] == "name"
