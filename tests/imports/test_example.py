"""The example that docs/importing.md shows can be imported."""

import re

import pytest

from assets.accounts.registration.organizations import create_organization
from assets.datasets.models import Dataset
from assets.imports.registration import Import
from assets.imports.sources import FolderSource
from assets.imports.specs import LIST_KINDS, State
from tests.builders import CODE, DESCRIPTION, OPENER, zip_of
from tests.house.source import ROOT

from .studies import write

TEXT = (ROOT / "docs/importing.md").read_text(encoding="utf-8")
FILES = {
    "openers/blood.py": OPENER,
    "notes/blood.md": DESCRIPTION,
    "notes/train.md": DESCRIPTION,
    "train.zip": zip_of(CODE),
    "visits/patient-1/counts.csv": b"1\n",
    "visits/patient-2.zip": zip_of({"counts.csv": b"2\n"}),
}


@pytest.mark.django_db
def test_the_example(alice, tmp_path):
    for id in ("CurieMSP", "ChariteMSP"):
        create_organization(id)
    lists = dict(re.findall(r"^`(\w+\.csv)`.*?```csv\n(.*?)```", TEXT, re.DOTALL | re.MULTILINE))
    assert set(lists) == {f"{kind.name}.csv" for kind in LIST_KINDS}
    # The tree of the folder shows every file.
    [tree] = re.findall(r"^```\nstudy\n(.*?)```", TEXT, re.DOTALL | re.MULTILINE)
    names = set(re.findall(r"[─ ]([\w./-]+\.\w+)$", tree, re.MULTILINE))
    assert names == {name.removeprefix("visits/") for name in [*FILES, *lists]}

    content = {name: text.encode() for name, text in lists.items()}
    outcomes = list(Import(FolderSource(write(tmp_path, {**FILES, **content})), alice).outcomes())
    assert [outcome.lines for outcome in outcomes] == [[]] * 5
    assert {outcome.state for outcome in outcomes} == {State.REGISTERED}
    assert Dataset.objects.get(name="Blood counts").data_samples.count() == 2


def test_the_table_has_every_column():
    table = TEXT.split("| column |")[1].split("\n\n")[0]
    first = "\n".join(re.findall(r"^\| (.*?) \|", table, re.MULTILINE))
    named = set(re.findall(r"`(\w+)(?:\.NAME)?`", first))
    assert named == {column for kind in LIST_KINDS for column in kind.columns}
