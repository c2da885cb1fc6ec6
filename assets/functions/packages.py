"""Packages of other platforms that are sent as a function: how to know one, and what it lacks.

Each is known by the files that its platform's own command puts in.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform's package.

    Attributes:
        what: what it is, as its users call it.
        marker: a pattern of the path of a file that every such package has.
        beside: the names of the file that a Dockerfile is put next to.
        how: what to do about its lack of a Dockerfile.
    """

    what: str
    marker: str
    beside: tuple[str, ...]
    how: str


_AGAIN = "Unpack it, add a Dockerfile beside {beside}, and archive the folder's content again."
PLATFORMS = (
    Platform(
        "a Flower App Bundle",
        r"\.info/CONTENT",
        ("pyproject.toml",),
        f"`flwr build` leaves Dockerfiles out. {_AGAIN}",
    ),
    Platform(
        "a compute package of FEDn",
        r"fedn\.yaml",
        ("fedn.yaml",),
        "Add a Dockerfile beside {beside}, then make it again by `fedn package create`.",
    ),
    Platform(
        "a job of NVIDIA FLARE",
        r"[^/]+/config/config_fed_(server|client)\.(json|conf|yml|yaml)",
        ("meta.json", "meta.conf", "meta.yml", "meta.yaml"),
        f"Jobs hold no Dockerfile of their own. {_AGAIN}",
    ),
    Platform(
        "an exported workspace of OpenFL",
        r"plan/plan\.yaml",
        ("requirements.txt",),
        f"`fx workspace export` leaves Dockerfiles out. {_AGAIN}",
    ),
)


def package_hint(names: Sequence[str]) -> str:
    """Return what package of another platform the files are, and what to add; blank if none."""
    known = set(names)
    for platform in PLATFORMS:
        # The package may lie in a folder of the archive.
        pattern = re.compile(rf"((?:[^/]+/)?){platform.marker}")
        folders = [found[1] for found in map(pattern.fullmatch, names) if found]
        places = [folder + name for folder in folders for name in platform.beside]
        if place := next((place for place in places if place in known), ""):
            return f"It is {platform.what}. {platform.how.format(beside=place)}"
    return ""
