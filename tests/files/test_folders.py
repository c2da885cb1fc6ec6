"""Data samples in folders on the server: only below the organisation's own, and as they are."""

import hashlib
import os
from pathlib import Path

import pytest

from assets.common.errors import Code, Refused
from assets.common.files.digest import folder_digest
from assets.datasets.models import DataSample
from assets.datasets.registration import register_data_samples
from assets.datasets.rules import MAX_PATH_LENGTH
from assets.datasets.specs import DataSampleSpec
from tests import builders

from .stored import nothing_left

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(settings) -> Path:
    """Alice's organisation's folder, with one good sample in it."""
    root = Path(settings.SERVERMEDIAS_ROOT) / "MyOrg1MSP"
    fill(root / "good")
    return root


def fill(folder: Path, content: bytes = b"1") -> Path:
    folder.mkdir(parents=True)
    (folder / "data.csv").write_bytes(content)
    return folder


@pytest.fixture
def register(alice, root):
    dataset = builders.make_dataset(alice)

    def register(*paths, multiple=False) -> list[DataSample]:
        spec = DataSampleSpec([dataset.key], paths=[Path(p) for p in paths], multiple=multiple)
        return register_data_samples(spec, alice)

    return register


def refused(register, *paths, **options):
    with nothing_left(), pytest.raises(Refused) as refusal:
        register(*paths, **options)
    assert {problem.field for problem in refusal.value.problems} == {"path"}
    assert {problem.code for problem in refusal.value.problems} == {Code.INVALID}
    return [problem.message for problem in refusal.value.problems]


OUTSIDE = "is not below your organisation's folder"
MISSING = "is not a folder on the server"
LINK = "is a symbolic link"
TOO_LONG = "too long"
NOT_UTF8 = "not UTF-8"

# Makes what the path names, and returns the path.
BAD_PATHS = {
    "another organisation's": (lambda root: fill(root.parent / "MyOrg2MSP" / "x"), OUTSIDE),
    "another's, relatively": (
        lambda root: fill(root.parent / "Other" / "x") and "../Other/x",
        OUTSIDE,
    ),
    "a sibling's with the same beginning": (
        lambda root: fill(root.parent / "MyOrg1MSP-evil"),
        OUTSIDE,
    ),
    "below such a sibling": (lambda root: fill(root.parent / "MyOrg1MSP-evil" / "x"), OUTSIDE),
    "the root of all": (lambda root: root.parent, OUTSIDE),
    "the organisation's root": (lambda root: root, OUTSIDE),
    "the organisation's root, in disguise": (lambda root: "good/..", OUTSIDE),
    "out and in again": (lambda root: "../MyOrg1MSP-evil/../../../", OUTSIDE),
    "the system's": (lambda root: "/etc", OUTSIDE),
    "a file of the system": (lambda root: "/etc/passwd", OUTSIDE),
    "nothing outside": (lambda root: "/nowhere/at/all", OUTSIDE),
    "a link outside": (lambda root: link(root.parent / "link", root / "good"), OUTSIDE),
    "a link to outside": (lambda root: link(root / "link", Path("/etc")), LINK),
    "a link to inside": (lambda root: link(root / "link", root / "good"), LINK),
    "a link to nothing": (lambda root: link(root / "link", root / "nothing"), LINK),
    "a link to itself": (lambda root: link(root / "link", root / "link"), LINK),
    "below a link to outside": (
        lambda root: link(root / "l", fill(root.parent / "o" / "x").parent) / "x",
        LINK,
    ),
    "below a link to itself": (lambda root: link(root / "link", root / "link") / "x", LINK),
    "missing": (lambda root: root / "missing", MISSING),
    "a file": (lambda root: root / "good" / "data.csv", MISSING),
    "below a file": (lambda root: root / "good" / "data.csv" / "x", MISSING),
    "empty": (lambda root: (root / "empty").mkdir() or root / "empty", "is an empty folder"),
    "a name too long for any disk": (lambda root: root / ("x" * 300), MISSING),
    "a path too long for the table": (
        lambda root: fill(root.joinpath(*["y" * 200] * 6)),
        TOO_LONG,
    ),
    "a name with a NUL": (lambda root: "good\0", MISSING),
    "a name that is not UTF-8": (lambda root: fill(root / os.fsdecode(b"\xff")), NOT_UTF8),
    "half a character": (lambda root: "good\ud800", MISSING),
}


def link(path: Path, target: Path) -> Path:
    path.symlink_to(target)
    return path


@pytest.mark.parametrize(("make", "message"), BAD_PATHS.values(), ids=BAD_PATHS)
def test_refused(register, root, make, message):
    [found] = refused(register, make(root))
    assert message in found


@pytest.mark.parametrize(("make", "message"), BAD_PATHS.values(), ids=BAD_PATHS)
def test_refused_also_as_a_parent_of_many(register, root, make, message):
    path = make(root)
    if os.path.normpath(root / path) == str(root):
        # The root itself is a fair parent: its folders are samples.
        assert [sample.path for sample in register(path, multiple=True)] == [str(root / "good")]
        return
    [found] = refused(register, path, multiple=True)
    if message in (TOO_LONG, NOT_UTF8):
        # As a parent it would do, but the file in it is no sample.
        message = MISSING
    assert message in found


def test_a_path_may_be_as_long_as_its_column(register, root):
    left = MAX_PATH_LENGTH - len(str(root))
    folder = fill(root.joinpath(*["y" * 99] * (left // 100), "z" * (left % 100 - 1)))
    assert len(str(folder)) == MAX_PATH_LENGTH
    assert [sample.path for sample in register(folder)] == [str(folder)]
    [message] = refused(register, fill(folder.with_name(f"{folder.name}z")))
    assert TOO_LONG in message


def test_nothing_is_shown_about_what_lies_outside(register, root):
    """Whether it is there, a link, a file or a folder: the words are the same."""
    outside = root.parent / "outside"
    paths = [outside / name for name in ("file", "folder", "link", "missing", "folder/x/y")]
    fill(outside / "folder")
    paths[0].write_bytes(b"1")
    paths[2].symlink_to(outside)
    for multiple in (False, True):
        messages = refused(register, *paths, multiple=multiple)
        assert len({m.replace(str(p), "") for m, p in zip(messages, paths, strict=True)}) == 1


def test_one_bad_path_among_good_ones_refuses_all(register, root):
    fill(root / "better")
    assert len(refused(register, "good", root / "missing", "better", "/etc")) == 2


def test_absolute_or_relative_path(register, root):
    assert [sample.path for sample in register(root / "good", "good")] == [str(root / "good")] * 2


def test_the_path_is_stored_plainly(register, root):
    """So that it means the same later, whatever becomes of the detour."""
    fill(root / "detour")
    [sample] = register("detour/../good/.")
    sample.refresh_from_db()
    assert sample.path == str(root / "good")
    assert (sample.archive.name, sample.size) == ("", 1)


@pytest.mark.parametrize("parent", ["many", ""])
def test_each_subfolder_is_a_sample(register, root, parent):
    (root / "good" / "data.csv").unlink()
    (root / "good").rmdir()
    folders = [fill(root / parent / name, name.encode()) for name in ("b", "a", "été")]
    samples = register(parent or root, multiple=True)
    assert [sample.path for sample in samples] == sorted(map(str, folders))
    assert len({sample.checksum for sample in samples}) == 3


HIDDEN = (".ipynb_checkpoints", ".git", ".snapshot", "@eaDir", "#recycle", "__MACOSX", "lost+found")


def test_what_is_hidden_is_no_sample_and_no_reason_to_refuse(register, root):
    for name in HIDDEN:
        fill(root / name)
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "._good"):
        (root / name).touch()
    assert [sample.path for sample in register(root, multiple=True)] == [str(root / "good")]
    # By its name, one is a sample all the same.
    assert [sample.path for sample in register(".snapshot")] == [str(root / ".snapshot")]


def test_hidden_files_alone_are_no_data(register, root):
    (root / "many" / "a").mkdir(parents=True)
    (root / "many" / "a" / ".DS_Store").touch()
    for options in ({}, {"multiple": True}):
        [message] = refused(register, "many" if options else "many/a", **options)
        assert "contains only hidden files: .DS_Store" in message
    (root / "many" / "a").rename(root / "many" / ".git")
    assert "contains only hidden files: .git" in refused(register, "many", multiple=True)[0]


def test_files_that_data_need_are_not_hidden(register, root):
    (root / "array").mkdir()
    (root / "array" / ".zarray").touch()
    assert len(register("array")) == 1


@pytest.mark.parametrize("found", ["file", "link", "empty"])
def test_subfolders_are_checked_like_folders(register, root, found):
    fill(root / "many" / "a")
    other = root / "many" / "b"
    {"file": other.touch, "link": lambda: link(other, root / "good"), "empty": other.mkdir}[found]()
    [message] = refused(register, "many", multiple=True)
    assert message.startswith(str(other))


def test_a_parent_without_subfolders_is_refused(register, root):
    (root / "many").mkdir()
    assert "is an empty folder" in refused(register, "many", multiple=True)[0]


# --- What a folder contains ----------------------------------------------------------------------


def test_the_digest_is_of_names_and_contents(tmp_path):
    folder = fill(tmp_path / "a", b"abc")
    line = f"data.csv\0{hashlib.sha256(b'abc').hexdigest()}\n"
    assert folder_digest(folder) == (hashlib.sha256(line.encode()).hexdigest(), 3)


def sample_folder(folder: Path, order=("a", "b", "c/d", "c/e")) -> Path:
    for name in order:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return folder


def test_the_digest_does_not_depend_on_where_or_when(tmp_path):
    one = sample_folder(tmp_path / "one")
    other = sample_folder(tmp_path / "other", ("c/e", "b", "c/d", "a"))
    os.utime(other / "a", (0, 0))
    (other / "a").chmod(0o600)
    assert folder_digest(one) == folder_digest(other) == folder_digest(one)


CHANGES = {
    "content": lambda folder: (folder / "a").write_bytes(b"A"),
    "a byte moved to the next file": lambda folder: (
        (folder / "a").write_bytes(b"ab"),
        (folder / "b").write_bytes(b""),
    ),
    "name": lambda folder: (folder / "a").rename(folder / "z"),
    "place": lambda folder: (folder / "a").rename(folder / "c" / "a"),
    "two swapped": lambda folder: (
        (folder / "a").write_bytes(b"b"),
        (folder / "b").write_bytes(b"a"),
    ),
    "another file": lambda folder: (folder / "x").touch(),
    "a file less": lambda folder: (folder / "c" / "d").unlink(),
    "a name that is not UTF-8": lambda folder: (folder / os.fsdecode(b"\xff")).touch(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_digest_changes_with(tmp_path, change):
    folder = sample_folder(tmp_path / "x")
    before = folder_digest(folder)
    change(folder)
    assert folder_digest(folder)[0] != before[0]


def test_links_and_pipes_within_are_passed_over(tmp_path):
    folder = sample_folder(tmp_path / "x")
    before = folder_digest(folder)
    link(folder / "secret", Path("/etc/passwd"))
    link(folder / "folder", Path("/etc"))
    os.mkfifo(folder / "pipe")
    assert folder_digest(folder) == before


def test_two_names_cannot_be_read_as_one(tmp_path):
    """A file's name cannot pretend to be the end of a line and the beginning of the next."""
    digest = hashlib.sha256(b"").hexdigest()
    two, one = tmp_path / "two", tmp_path / "one"
    for path in (two / "a", two / "b", one / f"a\n{digest}" / "b"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert folder_digest(one) != folder_digest(two)
