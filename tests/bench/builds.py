"""What is measured: this checkout, and an earlier commit beside it with its own packages."""

import os
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

    def run(self, *arguments: str | Path, captured: bool = False, **environment: str) -> str:
        """Run its Python in its checkout, as `run` does."""
        return run(self.python, *arguments, cwd=self.root, captured=captured, **environment)


NOW = Build("now", "HEAD", ROOT, sys.executable)


def base_build(commit: str = BASE) -> Build:
    """Return the build of a commit, in `.venv/bench`; its packages are those of its lock file."""
    folder = ROOT / ".venv" / "bench" / commit
    root, environment = folder / "source", folder / "environment"
    python = environment / "bin" / "python"
    if not (folder / ".complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        check_out(commit, root)
        run(sys.executable, "-m", "venv", "--without-pip", environment)
        lock = root / "requirements.lock"
        uv = (sys.executable, ROOT / ".ci/uv.py", "pip", "install", "--quiet")
        run(*uv, "--python", python, "--require-hashes", "-r", lock)
        (folder / ".complete").touch()
    return Build("BASE", commit, root, str(python))


def check_out(commit: str, folder: Path) -> None:
    """Write the files of a commit into a new folder."""
    folder.mkdir(parents=True)
    archive = folder / ".archive.tar"
    run("git", "-C", ROOT, "archive", f"--output={archive}", commit)
    run("tar", "-xf", archive, "-C", folder)
    archive.unlink()


def run(*command: str | Path, cwd: Path = ROOT, captured: bool = False, **environment: str) -> str:
    """Run a command, and end with it when it fails; return what it prints if `captured`."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | environment,
        stdout=subprocess.PIPE if captured else None,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command[:3]))} failed.")
    return done.stdout or ""
