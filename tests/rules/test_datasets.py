"""Datasets, data samples and the links between them. Contract 2.3, 2.4, 3.4."""

from pathlib import Path, PurePosixPath
from uuid import uuid4

import pytest
from django.conf import settings

from assets.common.errors import Code
from assets.datasets.models import DataSample, DataSampleLink, Dataset
from assets.datasets.specs import DataSampleSpec
from tests.builders import dataset_spec, make_samples_at_runner, tar_of, upload, zip_of

from .cases import Case, accepted, invalid, refused, table, verify
from .requests import Link
from .world import A

DATA = {"data.csv": b"a,b\n1,2\n"}


DATASETS = [
    accepted("an opener of any content", lambda w: dataset_spec(data_opener=upload(b"\xff\x00"))),
    invalid("no opener", lambda w: dataset_spec(data_opener=None), "data_opener", "missing file"),
    invalid(
        "empty opener", lambda w: dataset_spec(data_opener=upload(b"")), "data_opener", "empty"
    ),
    invalid("no description", lambda w: dataset_spec(description=None), "description", "missing"),
    invalid(
        "empty description", lambda w: dataset_spec(description=upload(b"")), "description", "empty"
    ),
]


@table(DATASETS)
def test_dataset(case: Case, interface, world):
    verify(case, interface, world)


def test_the_same_content_twice_is_two_datasets(interface, world):
    for _ in range(2):
        assert not interface.send(world.alice, dataset_spec()).problems
    assert Dataset.objects.count() == 2


# --- Samples -------------------------------------------------------------------------------------


def _samples(*archives: bytes, keys=None):
    def build(world):
        uploads = {f"part{n}": upload(content) for n, content in enumerate(archives)}
        return DataSampleSpec([world.dataset.key] if keys is None else keys(world), uploads)

    return build


ONE = zip_of(DATA)
KEYS = "data_manager_keys"
SAMPLES = [
    accepted("one", _samples(ONE)),
    accepted("three", _samples(ONE, tar_of(DATA), tar_of(DATA, "w"))),
    accepted("twice the same", _samples(ONE, ONE)),
    accepted("of two datasets", _samples(ONE, keys=lambda w: [w.dataset.key, w.other_dataset.key])),
    invalid("nothing", _samples(), "path", "Give either files or folders"),
    refused(
        "no dataset",
        _samples(ONE, keys=lambda w: []),
        Code.BAD_REQUEST,
        KEYS,
        "missing or empty field 'data_manager_keys'",
    ),
    refused(
        "unknown dataset",
        _samples(ONE, keys=lambda w: [uuid4()]),
        Code.BAD_REQUEST,
        KEYS,
        "not found",
    ),
    refused(
        "one unknown dataset",
        _samples(ONE, keys=lambda w: [w.dataset.key, uuid4()]),
        Code.BAD_REQUEST,
        KEYS,
        "not found",
    ),
    refused(
        "foreign dataset",
        _samples(ONE, keys=lambda w: [w.bobs_dataset().key]),
        Code.FORBIDDEN,
        "",
        "only its owner",
    ),
    invalid(
        "a dataset twice",
        _samples(ONE, keys=lambda w: [w.dataset.key] * 2),
        KEYS,
        "occurs 2 times",
    ),
    invalid("an empty archive", _samples(zip_of({})), "part0", "the archive is empty"),
    invalid("an empty file", _samples(ONE, b""), "part1", "the file is empty"),
    invalid("no archive", _samples(ONE, b"a,b"), "part1", "not a readable zip or tar archive"),
    invalid("a path upwards", _samples(zip_of({"../x": b"1"})), "part0", "unsafe path"),
]


@table(SAMPLES)
def test_samples(case: Case, interface, world):
    verify(case, interface, world)


@pytest.fixture
def folders(org_a) -> Path:
    """Alice's folder on the server: two samples, an empty folder, a link, a file."""
    root = Path(settings.SERVERMEDIAS_ROOT, A)
    for name in ("one", "two"):
        (root / name).mkdir(parents=True)
        (root / name / "data.csv").write_text(name)
    (root / "many" / "a").mkdir(parents=True)
    (root / "many" / "a" / "x").write_text("a")
    (root / "many" / "b").mkdir()
    (root / "many" / "b" / "x").write_text("b")
    (root / "empty").mkdir()
    (root / "file").write_text("a file")
    (root / "link").symlink_to(root / "one")
    (root.parent / "MyOrg2MSP" / "secret").mkdir(parents=True)
    (root.parent / "MyOrg2MSP" / "secret" / "x").write_text("x")
    return root


def _folders(*paths: str, **options):
    return lambda world: DataSampleSpec(
        [world.dataset.key], paths=[Path(path) for path in paths], **options
    )


def _absolute(name: str):
    return lambda world: DataSampleSpec(
        [world.dataset.key], paths=[Path(settings.SERVERMEDIAS_ROOT, A, name)]
    )


def _both(world):
    return DataSampleSpec([world.dataset.key], {"part": upload(ONE)}, [Path("one")])


PLACES = [
    accepted("below the root", _folders("one")),
    accepted("absolute", _absolute("one")),
    accepted("two", _folders("one", "two")),
    accepted("subfolders", _folders("many", multiple=True)),
    invalid("both a file and a folder", _both, "path", "cannot be combined with files"),
    invalid("missing", _folders("nowhere"), "path", "is not a folder"),
    invalid("a file", _folders("file"), "path", "is not a folder"),
    invalid("empty", _folders("empty"), "path", "is an empty folder"),
    invalid("one of two empty", _folders("one", "empty"), "path", "is an empty folder"),
    invalid("a link", _folders("link"), "path", "is a symbolic link"),
    invalid("the root itself", _folders("."), "path", "is not below your organisation's folder"),
    invalid("another organisation's", _folders("../MyOrg2MSP/secret"), "path", "is not below"),
    invalid(
        "another organisation's subfolders",
        _folders("../MyOrg2MSP", multiple=True),
        "path",
        "is not below",
    ),
    invalid("elsewhere", _folders("/etc"), "path", "is not below"),
    invalid("subfolders, one of them no folder", _folders(".", multiple=True), "path", ""),
]


@table(PLACES)
def test_server_side_folders(case: Case, interface, world, folders):
    verify(case, interface, world)


def test_each_subfolder_is_a_sample(interface, world, folders):
    interface.send(world.alice, _folders("many", multiple=True)(world))
    names = {Path(path).name for path in DataSample.objects.values_list("path", flat=True)}
    assert names == {"a", "b"}


def _at_runner(*paths: str, **options):
    return lambda world: DataSampleSpec(
        [world.dataset.key], runner_paths=[PurePosixPath(path) for path in paths], **options
    )


def _once_more(path: str):
    def build(world):
        make_samples_at_runner(world.alice, world.dataset.key, paths=["visits/p1"])
        return _at_runner("visits/p2", path)(world)

    return build


def _of_another(world):
    make_samples_at_runner(world.bob, world.bobs_dataset().key, paths=["visits/p1"])
    return _at_runner("visits/p1")(world)


BELOW = "is not below the data root of your runners"
AT_RUNNERS = [
    accepted("one", _at_runner("visits/p1")),
    accepted("many", _at_runner(*(f"visits/p{number}" for number in range(50)))),
    accepted("a folder and one in it", _at_runner("visits", "visits/p1")),
    accepted("letters of all kinds", _at_runner("Hôpital/Über 90/日本")),
    accepted("dots in names", _at_runner("v.1/p..2/.hidden")),
    accepted("the longest path", _at_runner("a" * 1024)),
    accepted("the path of another organisation", _of_another),
    invalid("absolute", _at_runner("/visits/p1"), "runner_paths", BELOW),
    invalid("upwards", _at_runner("../p1"), "runner_paths", BELOW),
    invalid("upwards and down", _at_runner("visits/../p1"), "runner_paths", BELOW),
    invalid("the root itself", _at_runner("."), "runner_paths", BELOW),
    invalid("a backslash", _at_runner("visits\\p1"), "runner_paths", BELOW),
    invalid("a drive", _at_runner("C:/visits"), "runner_paths", BELOW),
    invalid("a control character", _at_runner("visits/\x1bp1"), "runner_paths", "U+001B"),
    invalid("too long", _at_runner("a" * 1025), "runner_paths", "The limit is 1024"),
    invalid("twice", _at_runner("p1", "p2", "p1"), "runner_paths", "p1 occurs 2 times"),
    invalid("twice, spelt otherwise", _at_runner("a/p1", "a//./p1/"), "runner_paths", "occurs 2"),
    invalid("registered", _once_more("visits/p1"), "runner_paths", "visits/p1 is registered"),
    invalid("registered, spelt otherwise", _once_more("visits//p1/"), "runner_paths", "is regist"),
    invalid("subfolders", _at_runner("visits", multiple=True), "multiple", "cannot list folders"),
    invalid(
        "with a file",
        lambda w: DataSampleSpec(
            [w.dataset.key], {"part": upload(ONE)}, runner_paths=[PurePosixPath("p1")]
        ),
        "runner_paths",
        "cannot be combined",
    ),
    invalid(
        "with a folder on the server",
        lambda w: DataSampleSpec(
            [w.dataset.key], paths=[Path("one")], runner_paths=[PurePosixPath("p1")]
        ),
        "runner_paths",
        "cannot be combined",
    ),
    refused(
        "of no dataset",
        lambda w: DataSampleSpec([], runner_paths=[PurePosixPath("p1")]),
        Code.BAD_REQUEST,
        KEYS,
        "missing or empty field",
    ),
]


@table(AT_RUNNERS)
def test_folders_at_runners(case: Case, interface, world, folders):
    verify(case, interface, world)


def test_a_folder_at_a_runner_waits_for_a_look(interface, world):
    assert not interface.send(world.alice, _at_runner("visits//p1/", "p2")(world)).problems
    found = DataSample.objects.filter(at_runner=True).order_by("path")
    assert [(one.path, one.checksum, one.size) for one in found] == [
        ("p2", "", 0),
        ("visits/p1", "", 0),
    ]
    assert {one.found.checked_at for one in found} == {None}
    assert {one.found.organization_id for one in found} == {A}


# --- Links ---------------------------------------------------------------------------------------


def _link(datasets, samples):
    return lambda world: Link(datasets(world), samples(world))


def _other(world):
    return [world.other_dataset.key]


def _mine(world):
    return [sample.key for sample in world.samples]


LINKS = [
    accepted("one", _link(_other, lambda w: _mine(w)[:1])),
    accepted("two samples with two datasets", _link(lambda w: [w.dataset.key, *_other(w)], _mine)),
    accepted("again", _link(lambda w: [w.dataset.key], _mine)),
    invalid(
        "no samples", _link(_other, lambda w: []), "data_sample_keys", "missing or empty field"
    ),
    invalid("no datasets", _link(lambda w: [], _mine), KEYS, "missing or empty field"),
    refused(
        "unknown dataset",
        _link(lambda w: [uuid4()], _mine),
        Code.NOT_FOUND,
        KEYS,
        "datamanager with key",
    ),
    refused(
        "one unknown dataset",
        _link(lambda w: [*_other(w), uuid4()], _mine),
        Code.NOT_FOUND,
        KEYS,
        "not found",
    ),
    refused(
        "foreign dataset",
        _link(lambda w: [w.bobs_dataset().key], _mine),
        Code.FORBIDDEN,
        "",
        "only its owner",
    ),
    refused(
        "unknown sample",
        _link(_other, lambda w: [uuid4()]),
        Code.NOT_FOUND,
        "",
        "datasample with key",
    ),
    refused(
        "one unknown sample",
        _link(_other, lambda w: [*_mine(w), uuid4()]),
        Code.NOT_FOUND,
        "",
        "not found",
    ),
    refused(
        "foreign sample",
        _link(_other, lambda w: [w.bobs_sample.key]),
        Code.FORBIDDEN,
        "",
        "only its owner",
    ),
    refused(
        "unknown dataset and sample: the dataset first",
        _link(lambda w: [uuid4()], lambda w: [uuid4()]),
        Code.NOT_FOUND,
        KEYS,
        "datamanager with key",
    ),
    refused(
        "foreign dataset and unknown sample: the dataset first",
        _link(lambda w: [w.bobs_dataset().key], lambda w: [uuid4()]),
        Code.FORBIDDEN,
        "",
        "add data samples to this dataset",
    ),
]


@table(LINKS)
def test_links(case: Case, interface, world):
    verify(case, interface, world)


def test_links_are_added_and_none_is_removed(interface, world):
    first, second = world.samples
    before = set(DataSampleLink.objects.values_list("dataset", "data_sample"))
    for _ in range(2):
        interface.send(world.alice, Link([world.other_dataset.key], [first.key]))
    added = {(world.other_dataset.key, first.key)}
    assert set(DataSampleLink.objects.values_list("dataset", "data_sample")) == before | added
    assert DataSampleLink.objects.count() == len(before) + 1
    assert second.links.count() == 1
