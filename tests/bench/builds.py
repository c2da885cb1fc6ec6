"""What is measured: this checkout, and an earlier commit beside it with its own packages."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The version that today's is held against.
BASE = "3fd722a"


@dataclass(frozen=True, slots=True)
class Build:
    """A commit, its checkout, and a Python that has its packages."""

    name: str
    commit: str
    root: Path
    python: str


NOW = Build("now", "HEAD", ROOT, sys.executable)


def base_build(commit: str = BASE) -> Build:
    """Return the build of a commit, in `.venv/bench`; its packages are those of its lock file."""
    folder = ROOT / ".venv" / "bench" / commit
    root, environment = folder / "source", folder / "environment"
    python = environment / "bin" / "python"
    if not (folder / ".complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        check_out(commit, root)
        _run(sys.executable, "-m", "venv", "--without-pip", environment)
        lock = root / "requirements.lock"
        uv = (sys.executable, ROOT / ".ci/uv.py", "pip", "install", "--quiet")
        _run(*uv, "--python", python, "--require-hashes", "-r", lock)
        (folder / ".complete").touch()
    return Build("BASE", commit, root, str(python))


def check_out(commit: str, folder: Path) -> None:
    """Write the files of a commit into a new folder."""
    folder.mkdir(parents=True)
    archive = folder / ".archive.tar"
    _run("git", "-C", ROOT, "archive", f"--output={archive}", commit)
    _run("tar", "-xf", archive, "-C", folder)
    archive.unlink()


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, check=False)
    if done.returncode:
        raise SystemExit(f"Cannot prepare the build to compare with: {command[0]} failed.")
