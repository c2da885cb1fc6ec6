"""Mutation testing: does a test fail when a rule is missing?

    python -m tests.mutants map --to FOLDER              run the suite, write which test runs what
    python -m tests.mutants run --map FOLDER --to FILE   make mutants, run the tests that reach each
    python -m tests.mutants compare OLD NEW              what OLD killed that NEW does not
    python -m tests.mutants show FILE                    figures, and what survived
    python -m tests.mutants try ID [PYTEST_ARGS ...]     run pytest on one mutant

The map is made on SQLite, without the suites that drive other processes: the SDK, browsers,
servers and S3.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from . import report
from .blocks import ROOT
from .mutants import all_mutants, sample

# These drive other processes, which no mutant reaches, or only read the source.
LEFT_OUT = [
    "tests/bench",
    "tests/browser",
    "tests/files/test_s3.py",
    "tests/fuzz",
    "tests/house",
    "tests/kill",
    "tests/mutants",
    "tests/project/test_server.py",
    "tests/project/test_serving.py",
    "tests/sdk",
    "tests/slow",
]


def pytest_command(plugin: str, *options: str) -> list[str]:
    left_out = [f"--ignore={path}" for path in LEFT_OUT]
    command = [sys.executable, "-m", "pytest", "-q", "-p", f"tests.mutants.{plugin}", *left_out]
    return [*command, "-p", "no:cacheprovider", *options, "tests"]


def environment(folder: str, **more: str) -> dict[str, str]:
    return os.environ | {"DATABASE_URL": "", "VAR_DIR": folder} | more


def make_map(options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.call(
            pytest_command("trace", "-n", str(options.jobs)),
            cwd=ROOT,
            env=environment(folder, MUTANTS_MAP=str(options.to.resolve())),
        )


def run(options: argparse.Namespace) -> int:
    everything = all_mutants()
    if options.like:
        chosen = report.like(everything, report.load(options.like))
    else:
        chosen = dict.fromkeys(sample(everything, options.count, options.seed), [])
    results = report.load(options.to) if options.to.exists() else []
    done = {row["id"] for row in results if not (options.again and row["state"] == "survived")}
    left = [
        mutant.as_dict() | {"candidates": candidates}
        for mutant, candidates in chosen.items()
        if mutant.id not in done
    ]
    print(f"{len(left)} mutants to try, {len(done)} tried before")
    with tempfile.TemporaryDirectory() as folder:
        shards = [
            _start(options, Path(folder), number, left[number :: options.jobs])
            for number in range(options.jobs)
        ]
        status = max(shard.wait() for shard in shards)
    report.show(report.load(options.to))
    return status


def _start(
    options: argparse.Namespace, folder: Path, number: int, mutants: list[dict[str, Any]]
) -> subprocess.Popen[bytes]:
    plan = {
        "map": str(options.map.resolve()) if options.map else "",
        "out": str(options.to.resolve()),
        "mutants": mutants,
        "tests": options.tests,
        "seconds": options.seconds,
    }
    path = folder / f"plan{number}.json"
    path.write_text(json.dumps(plan))
    var = folder / f"var{number}"
    command = pytest_command(
        "runner",
        "-p",
        "no:xdist",
        "--capture=sys",
        f"--basetemp={folder / f'tmp{number}'}",
        "-o",
        "tmp_path_retention_policy=none",
    )
    return subprocess.Popen(command, cwd=ROOT, env=environment(str(var), MUTANTS_PLAN=str(path)))


def try_one(options: argparse.Namespace) -> int:
    """Run pytest on one mutant, on the database that DATABASE_URL names."""
    command = [sys.executable, "-m", "pytest", "-p", "tests.mutants.single", *options.arguments]
    return subprocess.call(command, cwd=ROOT, env=os.environ | {"MUTANT": options.mutant})


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutants",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True)

    command = commands.add_parser("map", help="run the suite, write which test runs what")
    command.add_argument("--to", type=Path, required=True)
    command.add_argument("--jobs", type=int, default=2)
    command.set_defaults(function=make_map)

    command = commands.add_parser("run", help="make mutants, run the tests that reach each")
    command.add_argument("--map", type=Path, help="of this commit; may be left out with --like")
    command.add_argument(
        "--to", type=Path, required=True, help="results; theirs are not tried again"
    )
    command.add_argument("--count", type=int, default=600)
    command.add_argument("--seed", type=int, default=1)
    command.add_argument("--like", type=Path, help="try what these results killed")
    command.add_argument("--again", action="store_true", help="try also what survived before")
    command.add_argument(
        "--tests", type=int, default=12, help="how many to run on a mutant at most"
    )
    command.add_argument(
        "--seconds", type=float, default=8, help="how long the tests of a mutant may take together"
    )
    command.add_argument("--jobs", type=int, default=2)
    command.set_defaults(function=run)

    command = commands.add_parser("compare", help="what the first killed and the second does not")
    command.add_argument("old", type=Path)
    command.add_argument("new", type=Path)
    command.set_defaults(function=report.compare_command)

    command = commands.add_parser("show", help="figures, and what survived")
    command.add_argument("results", type=Path)
    command.set_defaults(function=report.show_command)

    command = commands.add_parser("try", help="run pytest on one mutant")
    command.add_argument("mutant", metavar="ID", help="as results name it")
    command.add_argument("arguments", nargs=argparse.REMAINDER, metavar="PYTEST_ARGS")
    command.set_defaults(function=try_one)

    options = parser.parse_args()
    if options.function is run and not (options.map or options.like):
        parser.error("run needs --map, or --like results of an earlier run")
    return options.function(options) or 0


if __name__ == "__main__":
    sys.exit(main())
