"""Print the lines that users feel, of BASE and of today: `make bench-quick`, in ten minutes.

Both builds serve the same data set on PostgreSQL, each with two workers, and are measured in turns.
"""

import argparse
import json
import signal
from pathlib import Path
from typing import Any

from tests.with_postgres import leave

from . import report
from .databases import DATABASES, django_without_database
from .machine import about

PARTS = "reads,pages,writes,imports,fan-in,starts,serve"


def main() -> None:
    # However we end, the servers that we started end too.
    signal.signal(signal.SIGTERM, leave)
    parser = argparse.ArgumentParser(prog="python -m tests.bench.quick", description=__doc__)
    parser.add_argument("--database", default="postgresql", choices=DATABASES)
    parser.add_argument("--tasks", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=0.7, help="of each round of a figure")
    parser.add_argument("--only", default=PARTS, help=f"of {PARTS}")
    parser.add_argument("--cache", type=Path, help="folder that keeps the filled databases")
    parser.add_argument("--output", type=Path, help="writes FILE as JSON")
    arguments = parser.parse_args()
    print(report.one_screen(measure(arguments)), end="")


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what the machine is and the lines, and write them to the output."""
    with django_without_database():
        from .beside import lines
        from .sides import sides

        found = about(arguments.seconds) | {"lines": []}
        found |= {"database": arguments.database, "tasks": arguments.tasks}
        with sides(arguments.database, arguments.tasks, arguments.cache) as pair:
            for line in lines(pair, arguments.seconds, arguments.only.split(",")):
                print(f"  {line['name']}", flush=True)
                found["lines"].append(line)
                if arguments.output:
                    arguments.output.write_text(json.dumps(found, indent=1))
    return found


if __name__ == "__main__":
    main()
