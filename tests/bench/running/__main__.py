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
from tests.with_postgres import leave

PARTS = "study,overhead"


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
    if arguments.output:
        arguments.output.write_text(json.dumps(found, indent=1))


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what the machine is and the lines, and print each."""
    parts = arguments.only.split(",")
    with django_without_database():
        from .overhead import overhead
        from .runners import study_beside_the_sdk

        found = about(0) | {"database": arguments.database, "lines": []}
        lines = []
        if "study" in parts:
            with tempfile.TemporaryDirectory(prefix="registrar-bench-") as folder:
                lines += study_beside_the_sdk(arguments.database, arguments.rounds, Path(folder))
        if "overhead" in parts:
            lines += overhead(arguments.database)
        for line in lines:
            print(f"  {line}", flush=True)
            found["lines"].append(line)
    return found


if __name__ == "__main__":
    main()
