"""Lists of imports: what is read, and each problem at its file, line and column."""

import io
import json
import zipfile

import pytest

from assets.datasets.models import DataSample, Dataset
from assets.functions.models import Function
from assets.imports.lists import NoLists
from assets.imports.specs import State
from assets.permissions.specs import PermissionsSpec
from tests.builders import DESCRIPTION, OPENER, make_dataset, make_samples_at_runner
from tests.cast import A, B, C

from .studies import COLUMNS, FUNCTION, csv_of, dataset_lines, datasets_csv, only, study

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


def lines_of(outcomes) -> list[str]:
    return [line for outcome in outcomes for line in outcome.lines]


def content(field) -> bytes:
    with field.open() as file:
        return file.read()


# --- What is registered --------------------------------------------------------------------------


def test_each_kind_is_registered_as_by_a_form(alice, run):
    outcomes = run(study())
    assert {outcome.state for outcome in outcomes} == {State.REGISTERED}
    keys = [outcome.key for outcome in outcomes]

    first, second = Dataset.objects.order_by("name")
    assert (first.name, first.type, first.metadata) == ("Ward 1", "tabular", {"ward": "1"})
    assert (content(first.opener), content(first.description)) == (OPENER, DESCRIPTION)
    assert (first.owner_id, first.permissions.value) == (A, PermissionsSpec(False, (A,)))
    function = Function.objects.get()
    assert function.permissions.public
    slots = [
        (item.identifier, item.kind, item.multiple)
        for items in (function.inputs, function.outputs)
        for item in items.order_by("position")
    ]
    assert slots == [
        ("opener", "ASSET_DATA_MANAGER", False),
        ("datasamples", "ASSET_DATA_SAMPLE", True),
        ("model", "ASSET_MODEL", False),
    ]
    folder, archive = (DataSample.objects.get(pk=key) for key in keys[-2:])
    assert list(folder.datasets.all()) == [first]
    assert set(archive.datasets.all()) == {first, second}
    assert content(archive.archive) == study()["visits/second.zip"]
    assert keys[:3] == [first.pk, second.pk, function.pk]


def test_a_folder_is_packed_without_hidden_files(run):
    run(study())
    sample = DataSample.objects.get(links__dataset__name="Ward 1", size__gt=200)
    with zipfile.ZipFile(io.BytesIO(content(sample.archive))) as archive:
        assert archive.namelist() == ["data.csv", "deep/more.csv"]


JSON_DATASET = {
    "name": "Ward 1",
    "data_opener": "openers/opener.py",
    "description": "./notes.md",
    "permissions": {"public": False, "authorized_ids": [B]},
    "logs_permission": [C],
    "metadata": {"ward": "1", "note": ""},
}


def test_json_has_the_values_of_the_api(run):
    [outcome] = run(only("datasets.json", json.dumps([JSON_DATASET]).encode()))
    assert outcome.lines == []
    dataset = Dataset.objects.get()
    assert dataset.permissions.value.authorized_ids == (A, B)
    assert dataset.logs_permission.value.authorized_ids == (A, C)
    assert (dataset.type, dataset.metadata) == ("", {"ward": "1", "note": ""})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", PermissionsSpec(False, (A,))),
        ("public", PermissionsSpec(True, (A,))),
        (f"{B};{C}", PermissionsSpec(False, (A, B, C))),
        (f" {C}  {B} ", PermissionsSpec(False, (A, B, C))),
        (f"{B}, {C}", PermissionsSpec(False, (A, B, C))),
    ],
)
def test_permissions_in_csv(run, text, value):
    line = ("Ward 1", "", "openers/opener.py", "notes.md", text, "")
    run(only("datasets.csv", datasets_csv(line)))
    assert Dataset.objects.get().permissions.value == value


@pytest.mark.parametrize(
    "content",
    [
        datasets_csv(*dataset_lines(2), separator=";"),
        datasets_csv(*dataset_lines(2), separator="\t"),
        b"\xef\xbb\xbf" + datasets_csv(*dataset_lines(2)),
        datasets_csv(*dataset_lines(2)).replace(b"\r\n", b"\n\n"),
        datasets_csv(*dataset_lines(2)).replace(b"Ward 1", b" Ward 1 "),
        # Excel fills lines up with separators.
        csv_of([(*COLUMNS, "", ""), *((*line, "", "") for line in dataset_lines(2))]),
    ],
    ids=["semicolons", "tabs", "byte order mark", "blank lines", "spaces", "empty columns"],
)
def test_ways_to_write_csv(run, content):
    assert lines_of(run(only("datasets.csv", content))) == []
    assert sorted(Dataset.objects.values_list("name", flat=True)) == ["Ward 1", "Ward 2"]


def test_samples_can_name_a_registered_dataset_by_its_key(alice, run):
    key = make_dataset(alice).pk
    lines = [("paths", "data_manager_keys"), ("visits/first; visits/second.zip", key)]
    outcomes = run(only("data_samples.csv", csv_of(lines)))
    assert [outcome.row.name for outcome in outcomes] == ["visits/first", "visits/second.zip"]
    assert Dataset.objects.get().data_samples.count() == 2


def test_samples_can_stay_at_runners(alice, run):
    key = make_dataset(alice).pk
    lines = [("path", "runner_paths", "data_manager_keys")]
    lines += [("visits/first", "", key), ("", "visits/first; p2/", key), ("", "p3", key)]
    outcomes = run(only("data_samples.csv", csv_of(lines)))
    assert [outcome.row.name for outcome in outcomes] == [
        *("visits/first", "visits/first", "p2/", "p3"),
    ]
    samples = DataSample.objects.filter(at_runner=True)
    assert {(sample.path, sample.pk) for sample in samples} == {
        (path, outcome.key)
        for path, outcome in zip(("visits/first", "p2", "p3"), outcomes[1:], strict=True)
    }
    again = run(only("data_samples.csv", csv_of(lines)))
    assert [outcome.state for outcome in again] == [State.KNOWN] * 4


def test_one_path_at_runners_can_be_wrong(alice, run):
    key = make_dataset(alice).pk
    make_samples_at_runner(alice, key, paths=["p2"])
    lines = [("runner_paths", "data_manager_keys"), *((path, key) for path in ("p1", "p2", "/p3"))]
    outcomes = run(only("data_samples.csv", csv_of(lines)))
    assert [outcome.state for outcome in outcomes] == [
        *(State.REGISTERED, State.REFUSED, State.REFUSED)
    ]
    assert set(DataSample.objects.values_list("path", flat=True)) == {"p1", "p2"}


def test_a_thousand_rows_of_one_file(run):
    """Many rows ask as little as their number allows: see `test_registering`."""
    outcomes = run(only("datasets.csv", datasets_csv(*dataset_lines(1000))), dry_run=True)
    assert [outcome.state for outcome in outcomes] == [State.NEW] * 1000


# --- What is wrong -------------------------------------------------------------------------------


def line(**changes):
    values = dict(zip(COLUMNS, dataset_lines(1)[0], strict=True))
    return tuple({**values, **changes}.values())


def with_column(name):
    return csv_of([[*COLUMNS[:-1], name], line()])


MISSING = "Add it, or correct the path; letter case counts."
INSIDE = (
    "is not a path inside the folder. Use a relative path such as files/opener.py, without '..' "
    "and backslashes."
)
COLUMN = "datasets.csv, line 1: %s: there is no such column. "


@pytest.mark.parametrize(
    ("name", "content", "lines"),
    [
        (
            "datasets.csv",
            datasets_csv(line(), line(name="Ward 2", data_opener="openers/Opener.py")),
            [f'datasets.csv, line 3: data_opener: there is no file "openers/Opener.py". {MISSING}'],
        ),
        (
            "datasets.csv",
            datasets_csv(line(data_opener="/etc/passwd", description="openers/../../notes.md")),
            [
                f'datasets.csv, line 2: data_opener: "/etc/passwd" {INSIDE}',
                f'datasets.csv, line 2: description: "openers/../../notes.md" {INSIDE}',
            ],
        ),
        (
            "datasets.csv",
            datasets_csv(line(data_opener="openers\\opener.py")),
            [f'datasets.csv, line 2: data_opener: "openers\\opener.py" {INSIDE}'],
        ),
        (
            "datasets.csv",
            datasets_csv(line(data_opener="openers", description="")),
            [
                'datasets.csv, line 2: data_opener: "openers" is a folder. Give the file in it.',
                "datasets.csv, line 2: description: missing file. Choose a file to upload.",
            ],
        ),
        (
            "datasets.csv",
            with_column("opener"),
            [COLUMN % "opener" + 'Did you mean "data_opener"?'],
        ),
        (
            "datasets.csv",
            with_column("ward"),
            [
                COLUMN % "ward" + "Use name, type, data_opener, description, permissions, "
                "logs_permission, metadata.NAME."
            ],
        ),
        (
            "datasets.csv",
            with_column("name"),
            ["datasets.csv, line 1: name: the column occurs 2 times. Remove the others."],
        ),
        (
            "datasets.csv",
            datasets_csv(line(), line()),
            [
                'datasets.csv, line 3: name: "Ward 1" is also in datasets.csv, line 2. Change or '
                "remove one of the two."
            ],
        ),
        (
            "datasets.csv",
            datasets_csv(line(permissions="Elsewhere")),
            [
                "datasets.csv, line 2: permissions.authorized_ids: invalid permission input "
                'values: no organisation is called "Elsewhere". The organisation list (GET '
                "/organization/) has the ids."
            ],
        ),
        (
            "datasets.csv",
            datasets_csv(line(name="")),
            ["datasets.csv, line 2: name: cannot be blank. Enter up to 100 characters."],
        ),
        (
            "datasets.csv",
            datasets_csv(line(name="Été")).decode().encode("cp1252"),
            ['datasets.csv, line 2: the list is not UTF-8. In Excel, save it as "CSV UTF-8".'],
        ),
        (
            "datasets.csv",
            datasets_csv(),
            ["datasets.csv: the list is empty. Add a row for each asset, or remove the list."],
        ),
        (
            "datasets.json",
            b"[]",
            ["datasets.json: the list is empty. Add a row for each asset, or remove the list."],
        ),
        (
            "datasets.csv",
            datasets_csv(line(), (*line(name="Ward 2"), "more")),
            [
                "datasets.csv, line 3: this line has 7 values for 6 columns. Put values with a "
                "separator or a line break in quotes."
            ],
        ),
        (
            "datasets.csv",
            datasets_csv(line()) + b'"Ward 2',
            [
                "datasets.csv, line 3: this line is not CSV: unexpected end of data. Save the "
                "list as CSV again."
            ],
        ),
        (
            "datasets.json",
            b'[{"name": "Ward 1",]',
            ["datasets.json: this is not JSON in UTF-8: "],
        ),
        (
            "datasets.json",
            b'{"name": "Ward 1"}',
            ["datasets.json: the JSON must be a list of objects, one for each asset."],
        ),
        (
            "datasets.json",
            json.dumps([JSON_DATASET, 1]).encode(),
            ["datasets.json, item 2: this is not an object. Write one for each asset."],
        ),
        (
            "datasets.json",
            json.dumps([{**JSON_DATASET, "name": 1, "metadata": {"ward": 7}}]).encode(),
            [
                "datasets.json, item 1: name: must be a string.",
                'datasets.json, item 1: metadata: metadata value for key "ward" must be a '
                "string. Put it in quotes.",
            ],
        ),
        (
            "functions.json",
            json.dumps([{**FUNCTION, "outputs": "model ASSET_MODEL transient"}]).encode(),
            [
                'functions.json, item 1: outputs: "transient" is neither multiple nor optional. '
                "Separate by semicolons."
            ],
        ),
        (
            "functions.json",
            json.dumps([{**FUNCTION, "file": "notes.md", "inputs": "opener"}]).encode(),
            [
                "functions.json, item 1: file: not a readable zip or tar archive (it may be "
                "damaged or of another type). Put the files into a .zip or .tar.gz, even if "
                "there is only one.",
                'functions.json, item 1: inputs.opener.kind: invalid kind "". Choose one of '
                "ASSET_MODEL, ASSET_DATA_SAMPLE, ASSET_DATA_MANAGER.",
            ],
        ),
        (
            "data_samples.csv",
            csv_of([("path", "paths", "data_manager_keys"), ("visits/first", "a; b", "Ward 1")]),
            [
                "data_samples.csv, line 2: paths: cannot be combined with path. Give one of the "
                "two.",
                "data_samples.csv, line 2: data_manager_keys: no dataset of the list is called "
                '"Ward 1". Add it, or give the key of a registered one.',
            ],
        ),
    ],
)
def test_a_problem_is_at_its_place(run, name, content, lines):
    outcomes = run(only(name, content), dry_run=True)
    found = lines_of(outcomes)
    assert len(found) == len(lines)
    for one, expected in zip(found, lines, strict=True):
        assert one == expected or (expected.endswith(": ") and one.startswith(expected))
    refused = [outcome.row.place for outcome in run(only(name, content)) if outcome.problems]
    assert refused == [outcome.row.place for outcome in outcomes if outcome.problems]


def test_rows_beside_one_with_a_problem_are_registered(run):
    content = datasets_csv(line(), line(name="Ward 2", description="no.md"), line(name="Ward 3"))
    outcomes = run(only("datasets.csv", content))
    states = [State.REGISTERED, State.REFUSED, State.REGISTERED]
    assert [outcome.state for outcome in outcomes] == states
    assert sorted(Dataset.objects.values_list("name", flat=True)) == ["Ward 1", "Ward 3"]


@pytest.mark.parametrize("dry_run", [True, False])
def test_samples_of_a_dataset_with_a_problem(run, dry_run):
    files = study(datasets_csv=datasets_csv(line(description="no.md"), line(name="Ward 2")))
    *_others, folder, archive = run(files, dry_run=dry_run)
    assert folder.lines == [
        'data_samples.csv, line 2: data_manager_keys: the dataset "Ward 1" (datasets.csv, line 2) '
        "has problems. Fix them first."
    ]
    assert archive.state is State.REFUSED
    assert not DataSample.objects.exists()


def test_samples_of_others_datasets(alice, bob, run):
    key = make_dataset(bob).pk
    lines = [("path", "data_manager_keys"), ("visits/first", key)]
    [outcome] = run(only("data_samples.csv", csv_of(lines)))
    assert outcome.state is State.REFUSED
    assert f"only its owner {B} may add data samples to this dataset" in outcome.lines[0]


def test_two_lists_of_one_kind(run):
    files = {**only("datasets.csv", datasets_csv(line())), "datasets.json": b"[]"}
    [outcome] = run(files)
    assert outcome.lines == ["datasets.csv: there is also datasets.json. Remove one of the two."]


def test_no_list(run):
    with pytest.raises(NoLists, match=r"there is no list. Add datasets.csv"):
        run({"dataset.csv": b"name\n", "deep/datasets.csv": datasets_csv(line())})
