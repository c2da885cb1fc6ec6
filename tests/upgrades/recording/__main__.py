"""Record a small registry of the version whose code is on the path, for the tests of upgrades.

    cd CHECKOUT
    VAR_DIR=/srv/registrar PYTHONPATH=. python tests/upgrades/recording FOLDER
    VAR_DIR=/srv/registrar PYTHONPATH=. DATABASE_URL=postgres://... \\
        python tests/upgrades/recording FOLDER

Only the API, the commands and names of models are used, so that it runs with each version. FOLDER
gets

    database.sql.xz     the SQLite database
    backup.tar.xz       what `manage.py backup` makes of it
    answers.json.xz     the status and the body of what the server answers, by path

and, when it is run again on an empty PostgreSQL database,

    reads.json.xz       the statements by which that server reads the same rows

The registry is the demo with a row of every kind, and tasks with inputs of every form.
"""

import io
import json
import lzma
import os
import re
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import django

LISTS = ("organization", "data_manager", "data_sample", "function", "compute_plan", "task", "model")
# Filters of lists, with the list that has the keys to filter by.
FILTERS = {
    "data_manager": {"data_sample_key": "data_sample", "compute_plan_key": "compute_plan"},
    "data_sample": {
        "dataset_key": "data_manager",
        "compute_plan_key": "compute_plan",
        "function_key": "function",
    },
    "compute_plan": {
        "data_sample_key": "data_sample",
        "dataset_key": "data_manager",
        "function_key": "function",
    },
    "task": {"compute_plan_key": "compute_plan", "function_key": "function"},
}
# What one asset has beside itself.
MORE = {
    "compute_plan": ("task/", "perf/", "workflow_graph/", "functions/"),
    "task": ("input_assets/", "output_assets/"),
}
FILES = (
    *("data_manager/opener", "data_manager/description", "function/file", "function/description"),
    *("model/file", "task/logs"),
)
PAGE = "page_size=100"


def addresses(get: Any) -> Iterator[str]:
    """Yield the paths of every list, of some assets of each kind, and of lists by each filter."""
    yield "/api/organization/"
    yield from (f"/api/{name}/?{PAGE}" for name in ("news_feed", "performance"))
    yield "/api/performance/export/"
    keys: dict[str, list[str]] = {}
    for name in LISTS[1:]:
        yield (page := f"/api/{name}/?{PAGE}")
        yield f"/api/{name}/?page_size=3&page=2&ordering=creation_date"
        # The newest are last; of those that are alike, some will do.
        every = [item["key"] for item in get(page).json()["results"]]
        keys[name] = every[:-30:4] + every[-30:]
    keys["data_sample"] = keys["data_sample"][::4]
    for name in LISTS[1:]:
        yield from (f"/api/{name}/{key}/" for key in keys[name][::6])
        for key in keys[name]:
            yield from (f"/api/{name}/{key}/{more}?{PAGE}" for more in MORE.get(name, ()))
        for filter, of in FILTERS.get(name, {}).items():
            yield from (f"/api/{name}/?{filter}={key}&{PAGE}" for key in keys[of])
    for name, file in (both.split("/") for both in FILES):
        paths = [f"/api/{name}/{key}/{file}/" for key in keys[name]]
        yield from (path for path in paths if get(path).status_code != 404)
    # The API filters no tasks by sample, and the list on the dashboard does.
    yield from (f"/tasks/?data_sample_key={key}&export=json" for key in keys["data_sample"])


def answers(site: Any) -> dict[str, tuple[int, str]]:
    """Return the status and the body of each path, as an admin of Curie gets them."""
    found = {}
    for path in addresses(site.get):
        answer = site.get(path)
        found[path] = answer.status_code, b"".join(answer).decode("latin-1")
    return found


def people(site: Any) -> None:
    """Add what belongs to users: factors, identities, tokens, failures, files that wait."""
    from django.apps import apps
    from django.core.files.base import ContentFile
    from django.core.management import call_command

    def create(label: str, **values: Any) -> Any:
        return apps.get_model(label).objects.create(**values)

    user = apps.get_model("assets", "User").objects.get(username="karolinska-admin")
    create("otp_totp.TOTPDevice", user=user, name="telephone", key="5f" * 20)
    create("assets.RecoveryCode", user=user, digest="ab" * 32)
    user.second_factor_at = datetime(2026, 11, 1, 8, tzinfo=UTC)
    user.preferences = {"columns": {"task": ["key", "rank"]}}
    user.save()
    issuer = "https://sign-in.example/"
    identity = {"issuer": issuer, "username": "charite-viewer", "email": "viewer@charite.example"}
    charite = apps.get_model("assets", "User").objects.get(username="charite-viewer")
    create("assets.ExternalIdentity", subject="1", user=charite, **identity)
    create("assets.ExternalIdentity", subject="2", organization_id="ChariteMSP", **identity)
    now = datetime.now(UTC)
    create("assets.ApiToken", user=charite, digest="cd" * 32, created_at=now, note="notebook",
           expires_at=now + timedelta(days=36500))  # fmt: skip
    wrong = {"username": "curie-viewer", "password": "not the password"}
    assert site.client("curie-admin").post("/api/api-token-auth/", wrong).status_code >= 400
    file = {"file": ContentFile(b"#", name="uploads/opener.py"), "file_size": 1}
    create("assets.Upload", user=charite, name="opener.py", file_checksum="ef" * 32, **file)
    call_command("create_organization", "NordicMSP", name="Nordic registry")
    call_command("create_user", "nordic-viewer", organization="NordicMSP", role="viewer")


def record(folder: Path) -> None:
    from client import Site
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection
    from studies import Studies

    settings.ALLOWED_HOSTS = ["testserver"]
    call_command("migrate", verbosity=0)
    call_command("load_demo")
    site = Site()
    Studies(site, Path(settings.SERVERMEDIAS_ROOT) / "CurieMSP" / "slides").register()
    people(site)
    # Downloads are events, so the answers come first.
    found = {"version": settings.VERSION, "answers": answers(site)}
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "answers.json.xz", json.dumps(found, indent=0, ensure_ascii=False).encode())
    with tempfile.TemporaryDirectory() as kept:
        call_command("backup", f"{kept}/backup")
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            archive.add(f"{kept}/backup", "backup")
        write(folder / "backup.tar.xz", buffer.getvalue())
    connection.ensure_connection()
    dump = "\n".join(connection.connection.iterdump())
    write(folder / "database.sql.xz", dump.encode())


def record_reads(folder: Path) -> None:
    """Restore the backup, and record the statements by which requests read it."""
    from client import Site
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection, reset_queries

    settings.ALLOWED_HOSTS = ["testserver"]
    call_command("migrate", verbosity=0)
    with tempfile.TemporaryDirectory() as kept:
        with tarfile.open(folder / "backup.tar.xz") as archive:
            archive.extractall(kept, filter="data")
        call_command("restore", f"{kept}/backup")
    site = Site()
    paths = json.loads(lzma.decompress((folder / "answers.json.xz").read_bytes()))["answers"]
    site.client("curie-admin")
    connection.force_debug_cursor = True
    found: dict[str, str] = {}
    for path in paths:
        reset_queries()
        site.get(path)
        for query in connection.queries:
            # Statements of one shape are recorded once, and no estimates, which change.
            shape = re.sub(r"'[^']*'|\d+", "?", query["sql"])
            if (
                shape.startswith("SELECT")
                and "FOR UPDATE" not in shape
                and "reltuples" not in shape
            ):
                found.setdefault(shape, query["sql"])
    write(folder / "reads.json.xz", json.dumps(list(found.values()), indent=0).encode())


def write(path: Path, content: bytes) -> None:
    path.write_bytes(lzma.compress(content, preset=9 | lzma.PRESET_EXTREME))
    print(f"{path.name}: {len(content):,} bytes, {path.stat().st_size:,} compressed")


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "project.settings"
    django.setup()
    (record_reads if os.environ.get("DATABASE_URL") else record)(Path(sys.argv[1]))
