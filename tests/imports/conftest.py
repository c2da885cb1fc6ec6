"""Folders that are imported."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from assets.imports.registration import Import
from assets.imports.sources import FolderSource, ZipSource
from assets.imports.specs import Outcome
from tests.builders import upload, zip_of

from .studies import write

Run = Callable[..., list[Outcome]]


@pytest.fixture(params=["folder", "zip"])
def run(request, tmp_path, alice) -> Run:
    """Imports files for an actor, by default alice, from a folder and from a zip."""

    def imported(files: Mapping[str, bytes], actor=alice, **options) -> list[Outcome]:
        if request.param == "zip":
            source = ZipSource(upload(zip_of(files), "study.zip"))
        else:
            source = FolderSource(write(tmp_path / "study", files))
        return list(Import(source, actor).outcomes(**options))

    return imported


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "study"
