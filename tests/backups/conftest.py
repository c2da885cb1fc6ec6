"""A registry with one of everything, and a way to empty it."""

import io
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.management import call_command

from assets.common.files.pending import ahead
from assets.datasets.registration import register_data_samples
from assets.datasets.specs import DataSampleSpec
from assets.uploads.registration import stage
from tests.builders import make_model, make_samples_at_runner
from tests.files.conftest import shared_database  # noqa: F401  a fixture of this folder, too
from tests.files.everything import make_everything

NOT_KEPT = ("sessions.Session", "assets.Upload", "assets.PendingFiles", "assets.IdempotencyKey")


def backup(folder: Path, *args: Any) -> str:
    out = io.StringIO()
    call_command("backup", str(folder), *map(str, args), stdout=out)
    return out.getvalue()


def restore(folder: Path) -> str:
    out = io.StringIO()
    call_command("restore", str(folder), stdout=out, stderr=out)
    return out.getvalue()


def all_rows() -> dict[str, list[dict[str, Any]]]:
    """Every row of every table but those that no backup has."""
    models = apps.get_models(include_auto_created=True)
    rows = {
        model._meta.label: list(model._base_manager.order_by("pk").values()) for model in models
    }
    return {name: found for name, found in rows.items() if name not in NOT_KEPT}


@pytest.fixture
def empty(settings, tmp_path):
    """Empty the database and begin another storage, as a new machine has them."""

    def make() -> None:
        call_command("flush", verbosity=0, interactive=False)
        settings.STORAGES = settings.STORAGES | {
            "default": {
                **settings.STORAGES["default"],
                "OPTIONS": {"location": tmp_path / f"storage-{uuid.uuid4()}"},
            }
        }
        cache.clear()
        ahead.clear()

    return make


@pytest.fixture
def registry(transactional_db, settings, alice, ada, bob, carol, root):
    """One row of everything at least, names of any letters, and a folder registered in place."""
    rows = make_everything(alice)
    make_model(rows["Task"].key, content="é\0".encode())
    folder = settings.SERVERMEDIAS_ROOT / alice.organization_id / "visit"
    folder.mkdir(parents=True)
    (folder / "data.csv").write_text("1,2\n")
    register_data_samples(DataSampleSpec([rows["Dataset"].key], paths=[folder]), alice)
    make_samples_at_runner(alice, rows["Dataset"].key)
    stage(alice, ContentFile(b"waits for its form", name="opener.py"))
    return rows
