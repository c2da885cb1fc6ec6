"""Where the files of an import are: what a folder and a zip may contain."""

import io
import os
import zipfile

import pytest

from assets.common.files.archives.names import UnsafeArchive
from assets.imports import sources
from assets.imports.registration import Import
from assets.imports.sources import FolderSource, ZipSource
from assets.imports.specs import State
from tests.builders import OPENER, tar_of, upload, zip_of

from .studies import dataset_lines, datasets_csv, only, study, write

pytestmark = pytest.mark.django_db


def problems_of(source, actor) -> list[str]:
    outcomes = Import(source, actor).outcomes(dry_run=True)
    return [problem.message for outcome in outcomes for problem in outcome.problems]


@pytest.fixture
def datasets():
    return only("datasets.csv", datasets_csv(*dataset_lines(1)))


# --- Folders -------------------------------------------------------------------------------------


def test_links_may_not_lead_out(alice, folder, tmp_path, datasets):
    (tmp_path / "secret.py").write_bytes(OPENER)
    write(folder, datasets)
    (folder / "openers/opener.py").unlink()
    (folder / "openers/opener.py").symlink_to(tmp_path / "secret.py")
    [message] = problems_of(FolderSource(folder), alice)
    assert message == (
        '"openers/opener.py" is a link out of the folder. Copy the file into the folder.'
    )


def test_links_within_the_folder_are_followed(alice, folder, datasets):
    write(folder, datasets)
    (folder / "notes.md").rename(folder / "README.md")
    (folder / "notes.md").symlink_to("README.md")
    assert problems_of(FolderSource(folder), alice) == []


def test_a_link_in_a_data_sample(alice, folder, tmp_path):
    (tmp_path / "secret.csv").write_text("1")
    write(folder, study())
    (folder / "visits/first/link.csv").symlink_to(tmp_path / "secret.csv")
    [message] = problems_of(FolderSource(folder), alice)
    assert message.startswith('"visits/first/link.csv" is a link out of the folder.')


@pytest.mark.skipif(os.getuid() == 0, reason="root reads every file")
def test_a_file_that_cannot_be_read(alice, folder, datasets):
    write(folder, datasets)
    (folder / "notes.md").chmod(0)
    assert "Permission denied" in problems_of(FolderSource(folder), alice)[0]


# --- Zips ----------------------------------------------------------------------------------------


def test_a_zip_of_the_folder_itself(alice):
    files = {f"study/{name}": content for name, content in study().items()}
    # As macOS makes it.
    files |= {"__MACOSX/study/._notes.md": b"x", ".DS_Store": b"x"}
    run = Import(ZipSource(upload(zip_of(files))), alice)
    assert {outcome.state for outcome in run.outcomes()} == {State.REGISTERED}


@pytest.mark.parametrize("content", [b"name\n", tar_of({"datasets.csv": b"name\n"})])
def test_what_is_no_zip(content):
    with pytest.raises(UnsafeArchive):
        ZipSource(upload(content))


def test_members_that_lead_out_of_the_zip():
    with pytest.raises(UnsafeArchive, match="unsafe path"):
        ZipSource(upload(zip_of({"../datasets.csv": b"name\n"})))


def test_a_member_that_is_too_large(alice, monkeypatch, datasets):
    monkeypatch.setattr(sources, "MAX_MEMBER_SIZE", len(OPENER) - 1)
    [message] = problems_of(ZipSource(upload(zip_of(datasets))), alice)
    assert message.startswith('"openers/opener.py" is larger than ')
    assert "import the folder" in message


def test_a_member_that_is_damaged(alice, datasets):
    content = zip_of(datasets)
    [message] = problems_of(ZipSource(upload(content.replace(OPENER, OPENER.upper()))), alice)
    assert message == '"openers/opener.py" is damaged. Make the zip again.'


def test_a_member_whose_compression_cannot_be_read(alice, datasets):
    buffer = io.BytesIO(zip_of(datasets))
    with zipfile.ZipFile(buffer) as archive:
        [info] = [info for info in archive.infolist() if info.filename.endswith("opener.py")]
    content = bytearray(buffer.getvalue())
    at = content.rindex(b"PK\1\2", 0, content.rindex(b"openers/opener.py"))
    content[at + 10] = content[info.header_offset + 8] = 93
    [message] = problems_of(ZipSource(upload(bytes(content))), alice)
    assert message.startswith('"openers/opener.py" is compressed by Zstandard.')
