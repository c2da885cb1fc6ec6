"""Packages of other platforms that users upload as functions, and how to add a Dockerfile.

Each is recognised by the files that its platform's own command writes.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform's package.

    Attributes:
        marker: a pattern of the path of a file that every such package has.
        beside: possible names of the file that the Dockerfile belongs next to.
        hint: what the package is and how to add a Dockerfile; it names `file`.
    """

    marker: str
    beside: tuple[str, ...]
    hint: Any


PLATFORMS = (
    Platform(
        r"\.info/CONTENT",
        ("pyproject.toml",),
        _(
            "This is a Flower App Bundle; `flwr build` leaves Dockerfiles out. Unpack it, add a "
            "Dockerfile next to %(file)s, and archive the contents of the folder again."
        ),
    ),
    Platform(
        r"fedn\.yaml",
        ("fedn.yaml",),
        _(
            "This is a compute package of FEDn. Add a Dockerfile next to %(file)s, then run "
            "`fedn package create` again."
        ),
    ),
    Platform(
        r"[^/]+/config/config_fed_(server|client)\.(json|conf|yml|yaml)",
        ("meta.json", "meta.conf", "meta.yml", "meta.yaml"),
        _(
            "This is a job of NVIDIA FLARE, which has no Dockerfile. Unpack it, add a Dockerfile "
            "next to %(file)s, and archive the contents of the folder again."
        ),
    ),
    Platform(
        r"plan/plan\.yaml",
        ("requirements.txt",),
        _(
            "This is a workspace of OpenFL, and `fx workspace export` leaves Dockerfiles out. "
            "Unpack it, add a Dockerfile next to %(file)s, and archive the contents of the folder "
            "again."
        ),
    ),
)


def package_hint(names: Sequence[str]) -> str:
    """Return what to do if the files are a package of another platform; blank if they are not."""
    known = set(names)
    for platform in PLATFORMS:
        # The package may be inside a folder of the archive.
        pattern = re.compile(rf"((?:[^/]+/)?){platform.marker}")
        folders = [found[1] for found in map(pattern.fullmatch, names) if found]
        places = [folder + name for folder in folders for name in platform.beside]
        if place := next((place for place in places if place in known), ""):
            return platform.hint % {"file": place}
    return ""
