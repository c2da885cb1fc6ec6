"""Kills an import and starts it again, until it ends: `python -m tests.imports.killed`.

It runs on the database that DATABASE_URL names (PostgreSQL: a database of its own in that cluster),
or else on SQLite. It prints figures as JSON.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.sdk import serve

DATASETS = 120
# How many datasets there are when the import is killed.
KILLS = (10, 60)
COMMAND = [sys.executable, "manage.py", "import"]


def kill_at(number: int, command: list[str], environment: dict[str, str]) -> None:
    """Start the import, and kill it once this number of datasets is registered."""
    from assets.datasets.models import Dataset

    with subprocess.Popen(command, cwd=serve.ROOT, env=environment) as process:
        while Dataset.objects.count() < number:
            assert process.poll() is None, "the import has ended"
            time.sleep(0.005)
        process.kill()


def run(home: Path, environment: dict[str, str]) -> dict[str, object]:
    # These need Django to be set up.
    from assets import integrity
    from assets.datasets.models import DataSample, Dataset
    from assets.feed.models import Event
    from tests.builders import OPENER
    from tests.imports.studies import datasets_csv, study, write

    lines = [
        (f"Ward {n}", "tabular", f"openers/{n}.py", "notes.md", "", n)
        for n in range(1, DATASETS + 1)
    ]
    files = study(datasets_csv=datasets_csv(*lines))
    files |= {f"openers/{n}.py": OPENER + b"# %d\n" % n for n in range(1, DATASETS + 1)}
    command = [*COMMAND, str(write(home / "study", files)), "--user", "alice"]
    for number in KILLS:
        kill_at(number, command, environment)
    last = subprocess.run(
        command, cwd=serve.ROOT, env=environment, capture_output=True, text=True, check=True
    )
    integrity.tidy_up()
    return {
        "last": last.stdout.strip(),
        "datasets": Dataset.objects.count(),
        "names": Dataset.objects.values("name").distinct().count(),
        "samples": DataSample.objects.count(),
        "events": Event.objects.filter(public=True, action=Event.Action.REGISTERED).count(),
        "orphans": list(integrity.orphans()),
        "wrong": [
            str(finding)
            for model in integrity.MODELS
            for finding in integrity.check_named(model, fast=False)
            if finding
        ],
    }


def main() -> None:
    url = os.environ.get("DATABASE_URL", "")
    with (
        tempfile.TemporaryDirectory(prefix="registrar-import-") as home,
        serve.own_database(url if url.startswith("postgres") else "") as database_url,
    ):
        environment, _tokens = serve.prepared(Path(home), database_url)
        figures = run(Path(home), environment)
        from django.db import connections

        connections.close_all()
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
