"""Measure how registered work runs: `python -m tests.bench.running`.

The demo's study of 50 tasks runs on runners, and by the SDK itself in the same environment.
"""

import argparse
import json
import signal
import tempfile
from pathlib import Path
from typing import Any

from tests.bench.databases import DATABASES, django_without_database
from tests.bench.machine import about
from tests.bench.report import heading, table
from tests.with_postgres import leave

PARTS = "study,overhead"


HEAD = ("what", "unit", "yardstick", "now", "times", "goal")


def row(line: dict[str, Any]) -> tuple[str, ...]:
    """Return a line of the table; the yardstick is blank where the goal is a figure."""
    *yardstick, now = line["values"]
    value = now / yardstick[0] if yardstick else now
    met = value <= line["goal"] if line["at_most"] else value >= line["goal"]
    return (
        line["name"],
        line["unit"],
        f"{yardstick[0]:.2f}" if yardstick else "",
        f"{now:.2f}",
        f"{value:.2f}" if yardstick else "",
        f"{'≤' if line['at_most'] else '≥'} {line['goal']:g}{'' if met else ' ✗'}",
    )


def main() -> None:
    # However we end, the servers that we started end too.
    signal.signal(signal.SIGTERM, leave)
    parser = argparse.ArgumentParser(prog="python -m tests.bench.running", description=__doc__)
    parser.add_argument("--database", default="postgresql", choices=DATABASES)
    parser.add_argument("--only", default=PARTS, help=f"of {PARTS}")
    parser.add_argument("--rounds", type=int, default=2, help="of the study")
    parser.add_argument("--output", type=Path, help="writes FILE as JSON")
    arguments = parser.parse_args()
    found = measure(arguments)
    print(f"\n{heading(found)}\n\n{table(HEAD, list(map(row, found['lines'])))}")
    if arguments.output:
        arguments.output.write_text(json.dumps(found, indent=1))


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what the machine is and the lines."""
    parts = arguments.only.split(",")
    with django_without_database():
        from .overhead import overhead
        from .runners import study_beside_the_sdk

        found = about(0) | {"database": arguments.database, "lines": []}
        if "study" in parts:
            with tempfile.TemporaryDirectory(prefix="registrar-bench-") as folder:
                found["lines"] += study_beside_the_sdk(
                    arguments.database, arguments.rounds, Path(folder)
                )
        if "overhead" in parts:
            found["lines"] += overhead(arguments.database)
    return found


if __name__ == "__main__":
    main()
