"""What the runner unpacks, and what it refuses."""

import io
import tarfile
import zipfile

import pytest

from assets.common.files.archives.names import UnsafeArchive
from assets.runner import unpacking
from assets.runner.unpacking import unpack
from tests.corpus.hostile import HARMLESS, REFUSED, encrypted_zip, zip_of_items
from tests.properties.archives import TAR_FORMATS, TAR_MODES, Item, entries_of, tar_of_items

ITEMS = (
    Item("./a.py", content=b"import b\n"),
    Item("folder/", "folder"),
    Item("folder/deep/er/b.bin", content=bytes(range(256)) * 9000),
    Item("é/ü.txt", content=b"text"),
    Item("empty"),
)
ARCHIVES = {
    "stored zip": lambda: zip_of_items(ITEMS, zipfile.ZIP_STORED),
    "zip": lambda: zip_of_items(ITEMS, zipfile.ZIP_DEFLATED),
    "zip by bzip2": lambda: zip_of_items(ITEMS, zipfile.ZIP_BZIP2),
    "zip by LZMA": lambda: zip_of_items(ITEMS, zipfile.ZIP_LZMA),
    **{
        f"{mode} {form}": lambda mode=mode, form=form: tar_of_items(ITEMS, mode, form)
        for mode in TAR_MODES
        for form in TAR_FORMATS
    },
}


@pytest.fixture
def unpacked(tmp_path):
    """Unpack bytes, and return the files by their paths, with what each holds."""

    def unpack_bytes(data):
        archive, folder = tmp_path / "archive", tmp_path / "below" / "folder"
        archive.write_bytes(data)
        folder.parent.mkdir()
        unpack(archive, folder)
        files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        assert not any(path.is_symlink() for path in folder.rglob("*"))
        return {path.relative_to(folder).as_posix(): content for path, content in files.items()}

    return unpack_bytes


@pytest.mark.parametrize("make", ARCHIVES.values(), ids=ARCHIVES)
def test_files_and_folders_are_written(unpacked, make, tmp_path):
    expected = {item.name.removeprefix("./"): item.content for item in ITEMS if item.kind == "file"}
    assert unpacked(make()) == expected
    assert set(expected) < set(entries_of(ITEMS))
    assert (tmp_path / "below" / "folder" / "folder").is_dir()


def test_zeros_are_an_empty_tar(unpacked):
    assert unpacked(REFUSED["zeros"][0]()) == {}


@pytest.mark.parametrize("name", [name for name in REFUSED if name != "zeros"])
def test_what_harms_is_refused(unpacked, tmp_path, name):
    make, phrase = REFUSED[name]
    with pytest.raises(UnsafeArchive) as caught:
        unpacked(make())
    assert phrase.lower() in str(caught.value).lower()
    # Nothing is outside of the folder, and nothing was begun.
    assert {path.name for path in tmp_path.rglob("*")} == {"archive", "below"}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_looks_harmful_is_unpacked_unchanged(unpacked, name):
    if name == "a name of 20 kB":
        with pytest.raises(UnsafeArchive, match="cannot be written: File name too long"):
            unpacked(HARMLESS[name]())
    else:
        assert unpacked(HARMLESS[name]())["Dockerfile"].startswith(b"FROM")


def test_a_file_is_no_folder(unpacked):
    items = [Item("x", content=b"1"), Item("x/y", content=b"2")]
    with pytest.raises(UnsafeArchive, match=r"'x/y' cannot be written: .* Rename it"):
        unpacked(zip_of_items(items))


def test_programs_stay_executable(unpacked, tmp_path):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, mode in (("run.sh", 0o755), ("data", 0o4600)):
            info = tarfile.TarInfo(name)
            info.mode = mode
            archive.addfile(info)
        link = tarfile.TarInfo("same.sh")
        link.type, link.linkname = tarfile.LNKTYPE, "run.sh"
        archive.addfile(link)
    unpacked(buffer.getvalue())
    modes = {path.name: path.stat().st_mode & 0o7777 for path in tmp_path.rglob("*.sh")}
    assert modes == {"run.sh": 0o555, "same.sh": 0o555}
    assert (tmp_path / "below" / "folder" / "data").stat().st_mode & 0o7777 == 0o444


def test_damage_is_found(unpacked):
    whole = zip_of_items([Item("a", content=b"content" * 99)], zipfile.ZIP_STORED)
    with pytest.raises(UnsafeArchive, match="it is damaged: Bad CRC-32"):
        unpacked(whole.replace(b"content", b"kontent", 1))


def test_a_full_disk_is_no_fault_of_the_archive(unpacked, monkeypatch):
    def fail(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(unpacking, "_write", fail)
    with pytest.raises(OSError, match="No space left"):
        unpacked(zip_of_items(ITEMS))


def test_encrypted_zips_are_refused_by_name(unpacked):
    with pytest.raises(UnsafeArchive, match="is encrypted"):
        unpacked(encrypted_zip())
