"""What tests of engines share: archives of functions, job folders, and who runs on this machine."""

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from assets.runner.dockerfile import read_entry
from assets.runner.engines import JobFolder, Limits

LIMITS = Limits(seconds=60, memory=2**30, output_bytes=2**26)
# Installed instead of the real one: it comes from no index, so these tests need no network.
WHEEL = "substratools-1.0.0-py3-none-any.whl"
DOCKERFILE = f"""FROM python:3-slim
COPY . /app
RUN pip install /app/{WHEEL}
ENTRYPOINT ["python3", "function.py", "--function-name", "f"]
"""


def _has_sandbox() -> bool:
    command = [
        "bwrap",
        "--unshare-all",
        "--unshare-user",
        "--disable-userns",
        "--ro-bind",
        "/",
        "/",
    ]
    try:
        return not subprocess.run([*command, "true"], capture_output=True, check=False).returncode
    except OSError:
        return False


needs_sandbox = pytest.mark.skipif(
    not _has_sandbox(), reason="needs bubblewrap 0.8 and user namespaces"
)


def write_archive(folder: Path, script: str = "", dockerfile: str = DOCKERFILE) -> Path:
    """Write what the archive of a function unpacks to, and return its folder."""
    folder.mkdir()
    (folder / "Dockerfile").write_text(dockerfile)
    (folder / "function.py").write_text(script)
    write_wheel(folder / WHEEL)
    return folder


def write_wheel(path: Path) -> None:
    """Write a wheel with one empty module."""
    name, version, _ = path.name.split("-", 2)
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}/__init__.py": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(path, "w") as wheel:
        for file, text in files.items():
            # Without a time, so that the same wheel has the same checksum.
            wheel.writestr(zipfile.ZipInfo(file), text)
        records = [*files, f"{info}/RECORD"]
        wheel.writestr(zipfile.ZipInfo(records[-1]), "".join(f"{file},,\n" for file in records))


def make_job(
    folder: Path, script: str, *, dockerfile: str = DOCKERFILE, readable: tuple[Path, ...] = ()
) -> JobFolder:
    """Return a job that runs the script, with its function unpacked elsewhere, as in a cache."""
    folder.mkdir()
    for name in ("outputs", "work"):
        (folder / name).mkdir()
    archive = write_archive(folder.with_name(f"{folder.name}-function"), script, dockerfile)
    (folder / "function").symlink_to(archive)
    (folder / "arguments").write_text(f"--function-name\nf\n{folder / 'outputs'}\n")
    return JobFolder(folder, (archive, *readable), read_entry(archive))


def running(word: str) -> list[int]:
    """Return the processes of this machine that have the word in their command lines."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = path.read_bytes()
        except OSError:
            continue
        if word.encode() in text:
            found.append(int(path.parent.name))
    return found


def without_program(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let this program not be found, as on a machine that does not have it."""
    which = shutil.which
    monkeypatch.setattr(
        shutil, "which", lambda program: None if program == name else which(program)
    )
