"""Importing 1,000 datasets by one command."""

import csv
import tempfile
import time
from pathlib import Path

from .sides import Side
from .world import ORGANIZATIONS

COUNT = 1000
_OPENER = """import pathlib

import substratools as tools


class Opener{number}(tools.Opener):
    def get_data(self, folders):
        return [path for folder in folders for path in pathlib.Path(folder).iterdir()]

    def fake_data(self, n_samples=None):
        return list(range(n_samples or 1))
"""


def import_datasets(side: Side) -> float:
    """Return how many datasets a second the command registers, its start included."""
    user = ORGANIZATIONS[0].removesuffix("MSP").lower()
    with tempfile.TemporaryDirectory(prefix="registrar-bench-") as name:
        folder = Path(name)
        (folder / "description.md").write_text("# Counts of blood cells\n")
        with (folder / "datasets.csv").open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["name", "type", "data_opener", "description", "permissions"])
            for number in range(COUNT):
                opener = f"opener{number}.py"
                (folder / opener).write_text(_OPENER.format(number=number))
                values = [f"Imported {number}", "tabular", opener, "description.md", "public"]
                rows.writerow(values)
        begin = time.perf_counter()
        command = ("manage.py", "import", name, "--user", user)
        side.build.run(*command, captured=True, **side.registry.environment)
        return COUNT / (time.perf_counter() - begin)
