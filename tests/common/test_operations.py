"""Migrations that fill in columns of the rows that are there."""

import pytest
from django.apps import apps
from django.db import connection

from assets.common.db import operations
from assets.common.text.folding import folded, order_key
from assets.datasets.models import Dataset
from tests.builders import make_dataset

pytestmark = pytest.mark.postgresql

COLUMNS = {"name_folded": folded, "name_order": order_key}


class State:
    apps = apps


@pytest.mark.django_db
def test_every_row_without_them_gets_its_columns(alice, monkeypatch):
    monkeypatch.setattr(operations, "BATCH", 2)
    names = ["Étude", "alpha", "Zulu", "Beta", "Köln"]
    for name in names:
        make_dataset(alice, name=name)
    Dataset.objects.exclude(name="Beta").update(name_folded="", name_order="")
    Dataset.objects.filter(name="Beta").update(name_folded="as it was")
    fill = operations.FillColumns("dataset", "name", COLUMNS)
    editor = connection.schema_editor(atomic=False)
    fill.database_forwards("assets", editor, State, State)
    found = dict(Dataset.objects.values_list("name", "name_folded"))
    assert found == {**{name: folded(name) for name in names}, "Beta": "as it was"}
    ordered = Dataset.objects.order_by("name_order").values_list("name", flat=True)
    assert list(ordered) == sorted(names, key=order_key)
