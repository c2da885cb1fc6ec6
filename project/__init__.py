"""What Registrar is made of: settings, URLs, and how it is served."""

import os
import tomllib
from pathlib import Path

# Set before anything is written, whatever is started: password hashes and the files of all
# organisations are for the user that runs the server, and for no other user of the machine.
os.umask(0o077)

BASE_DIR = Path(__file__).resolve().parent.parent


def read_version(folder: Path) -> str:
    """Return the version that `pyproject.toml` in `folder` states.

    Registrar is deployed as a folder and is never built into a package, so no package metadata
    could answer. Raises: RuntimeError if the file is missing from the deployment.
    """
    path = folder / "pyproject.toml"
    try:
        with path.open("rb") as file:
            return tomllib.load(file)["project"]["version"]
    except FileNotFoundError:
        raise RuntimeError(
            f"{path} is missing, and it states Registrar's version. Copy it beside manage.py."
        ) from None


__version__ = read_version(BASE_DIR)
