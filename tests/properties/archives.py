"""Archives of every shape, legal and hostile, and an oracle that says which is which."""

import io
import stat
import tarfile
import warnings
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

TAR_MODES = ("w:", "w:gz", "w:bz2", "w:xz")
TAR_FORMATS = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)
SUFFIXES = {
    "zip": ".zip",
    "w:": ".tar",
    "w:gz": ".tar.gz",
    "w:bz2": ".tar.bz2",
    "w:xz": ".tar.xz",
}

FILE, FOLDER = "file", "folder"
# What else an entry may be, as tar and as zip say it; a zip knows no hard link.
_TAR_TYPES = {
    FILE: tarfile.REGTYPE,
    FOLDER: tarfile.DIRTYPE,
    "symbolic link": tarfile.SYMTYPE,
    "hard link": tarfile.LNKTYPE,
    "device": tarfile.CHRTYPE,
    "pipe": tarfile.FIFOTYPE,
}
_ZIP_MODES = {
    FILE: stat.S_IFREG | 0o644,
    FOLDER: stat.S_IFDIR | 0o755,
    "symbolic link": stat.S_IFLNK | 0o777,
    "device": stat.S_IFBLK | 0o644,
    "pipe": stat.S_IFIFO | 0o644,
}


@dataclass(frozen=True)
class Item:
    """One entry to be written: a raw name, a kind, bytes."""

    name: str
    kind: str = FILE
    content: bytes = b""


def entries_of(items: Sequence[Item]) -> dict[str, tuple[int, bool]] | None:
    """What a careful reader finds: path to (size, is folder); None for what it must refuse."""
    found: dict[str, tuple[int, bool]] = {}
    for item in items:
        parts = item.name.split("/")
        plain = [part for part in parts if part not in ("", ".")]
        is_folder = item.kind == FOLDER
        if (
            item.kind not in (FILE, FOLDER)
            or item.name.startswith("/")
            or ".." in parts
            or "\\" in item.name
            or "\0" in item.name
            or any("\ud800" <= char <= "\udfff" for char in item.name)
            or (plain and plain[0][1:2] == ":")
            or (not plain and not is_folder)
        ):
            return None
        if not plain:
            continue
        path = "/".join(plain)
        if path in found and not (is_folder and found[path][1]):
            return None
        found[path] = (len(item.content), is_folder)
    return found


def tar_of_items(items: Sequence[Item], mode: str = "w:", format: int = TAR_FORMATS[0]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode, format=format) as archive:
        for item in items:
            info = tarfile.TarInfo(item.name)
            info.type, info.size = _TAR_TYPES[item.kind], len(item.content)
            info.linkname = "target" if "link" in item.kind else ""
            archive.addfile(info, io.BytesIO(item.content))
    return buffer.getvalue()


def zip_of_items(items: Sequence[Item], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", compression) as archive:
        warnings.filterwarnings("ignore", "Duplicate name")
        for item in items:
            info = zipfile.ZipInfo()
            # Set here, because the constructor would cut the name off at a NUL.
            info.filename = item.name + ("/" if item.kind == FOLDER else "")
            info.compress_type = compression
            info.external_attr = _ZIP_MODES[item.kind] << 16
            with archive.open(info, "w") as target:
                target.write(item.content)
    return buffer.getvalue()


def end_of_tar(data: bytes) -> int:
    """The offset behind the block of zeros that ends a plain tar."""
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        archive.getmembers()
        return archive.offset + tarfile.BLOCKSIZE


_segments = st.sampled_from(
    (
        "a",
        "b",
        "data.csv",
        "été",
        "日本",
        "e\u0301",
        "a b",
        "-rf",
        "~",
        "..a",
        "PK",
        "BZh9",
        "x" * 60,
    )
)
_odd_segments = st.sampled_from(("", ".", "..", "a:b", "C:", "a\\b", "\\"))
_prefixes = st.sampled_from(("", "", "", "./", "././", ".//", "/", "../", "C:/", "C:", "\\\\"))


@st.composite
def names(draw) -> str:
    segments = draw(st.lists(st.one_of(_segments, _segments, _odd_segments), max_size=3))
    return draw(_prefixes) + "/".join([*segments, draw(_segments)])


_contents = st.sampled_from((b"", b"1", b"csv\n" * 40, bytes(600)))


def items(kinds: Sequence[str], odd_end: str) -> st.SearchStrategy[list[Item]]:
    """Mostly files, some entries of other kinds, some names with an end that none may have."""
    odd_names = names().map(lambda name: name + odd_end)
    some_names = st.one_of(names(), names(), names(), odd_names)
    file = st.builds(Item, some_names, st.just(FILE), _contents)
    other = st.builds(Item, some_names, st.sampled_from(kinds))
    return st.lists(st.one_of(file, file, file, other), max_size=5)


# A zip's names are UTF-8, and a tar's end at a NUL.
tar_items = items(tuple(_TAR_TYPES), "\udcff")
zip_items = items(tuple(_ZIP_MODES), "\0x")
legal_items = st.lists(
    st.builds(Item, st.lists(_segments, min_size=1, max_size=3).map("/".join), content=_contents),
    min_size=1,
    max_size=4,
    unique_by=lambda item: item.name,
)


@st.composite
def legal_archives(draw) -> tuple[str, bytes]:
    """An archive of files only, with the form that it has (`SUFFIXES`)."""
    found = draw(legal_items)
    form = draw(st.sampled_from(tuple(SUFFIXES)))
    if form == "zip":
        return form, zip_of_items(found)
    return form, tar_of_items(found, form, draw(st.sampled_from(TAR_FORMATS)))
