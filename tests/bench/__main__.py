"""Measure everything: `python -m tests.bench`, or `make bench`.

Fills a registry of each size on each database, serves it as in production, and prints one report:
what users feel beside BASE, reading with its floor, the last page beside the first, registering, an
upload, the dashboard's pages, and a listing through the SDK. A first look takes a minute::

    python -m tests.bench --sizes 20000 --only reads --seconds 1

Beside these, `--only soak` lets 16 clients read and register for ten minutes, and fails if
anything else does.
"""

import argparse
import json
import signal
import tempfile
from pathlib import Path
from typing import Any

from tests.with_postgres import leave

from . import report
from .builds import NOW
from .databases import DATABASES, Registry, is_available, registry
from .machine import about

PARTS = ("beside", "reads", "pages", "sdk", "upload", "writes")
# Listing through the SDK is about length: it is done once, at this size or the largest below it.
SDK_SIZE = 200_000


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--sizes", default="20000,200000,1000000", help="numbers of tasks")
    parser.add_argument("--databases", default=",".join(DATABASES))
    parser.add_argument("--only", default=",".join(PARTS), help=f"of {','.join(PARTS)}")
    parser.add_argument("--seconds", type=float, default=5, help="how long each figure is measured")
    parser.add_argument("--minutes", type=float, default=10, help="of `--only soak`")
    parser.add_argument("--upload-size", type=int, default=2 * 1024**3, help="bytes")
    parser.add_argument("--cache", type=Path, help="folder that keeps the filled databases")
    parser.add_argument("--output", type=Path, help="writes a folder of figures, also as JSON")
    parser.add_argument("--from", dest="source", type=Path, help="print a JSON file again")
    return parser.parse_args()


def main() -> None:
    # However we end, the servers that we started end too.
    signal.signal(signal.SIGTERM, leave)
    arguments = _arguments()
    if arguments.source:
        print(report.text(json.loads(arguments.source.read_text())))
        return
    sizes = sorted(int(size) for size in arguments.sizes.split(","))
    found: dict[str, Any] = {"about": about(arguments.seconds), "registries": []}
    with tempfile.TemporaryDirectory(prefix="registrar-bench-") as folder:
        static = _collect_static(Path(folder))
        for database in arguments.databases.split(","):
            if not is_available(database):
                print(f"{database} is not installed: left out", flush=True)
                continue
            for tasks in sizes:
                parts = _parts(arguments.only.split(","), tasks, sizes)
                print(f"{database}, {tasks:,} tasks", flush=True)
                beside = _beside(database, tasks, arguments) if "beside" in parts else {}
                with registry(database, tasks, arguments.cache) as filled:
                    figures = beside | _measure(filled, static, parts, arguments)
                found["registries"].append({"database": database, "tasks": tasks, **figures})
                _write(arguments.output, found)
    print(report.text(found))
    if any(figures["failures"] for item in found["registries"] for figures in item.get("soak", ())):
        raise SystemExit(1)


def _parts(wanted: list[str], tasks: int, sizes: list[int]) -> list[str]:
    sdk_size = max((size for size in sizes if size <= SDK_SIZE), default=0)
    # An archive does not know how many tasks there are.
    once = {"sdk": sdk_size, "upload": sizes[0]}
    return [part for part in wanted if once.get(part, tasks) == tasks]


def _measure(
    filled: Registry, static: Path, parts: list[str], arguments: argparse.Namespace
) -> dict[str, Any]:
    link = Path(filled.environment["VAR_DIR"]) / "static"
    link.unlink(missing_ok=True)
    link.symlink_to(static)
    output = filled.folder / "figures.json"
    options = [str(output), "--folder", str(filled.folder), "--only", ",".join(parts)]
    options += ["--seconds", str(arguments.seconds)]
    options += ["--upload-size", str(arguments.upload_size), "--minutes", str(arguments.minutes)]
    if filled.postmaster:
        options += ["--postmaster", str(filled.postmaster)]
    NOW.run("-m", "tests.bench.measure", *options, **filled.environment)
    return json.loads(output.read_text())


def _beside(database: str, tasks: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the lines of `tests.bench.quick`, which is a process of its own."""
    with tempfile.NamedTemporaryFile(suffix=".json") as output:
        options = ["--database", database, "--tasks", str(tasks), "--output", output.name]
        options += ["--seconds", str(arguments.seconds / 5)]
        if arguments.cache:
            options += ["--cache", str(arguments.cache)]
        NOW.run("-m", "tests.bench.quick", *options)
        return {"beside": json.loads(Path(output.name).read_text())["lines"]}


def _collect_static(folder: Path) -> Path:
    """Collect the static files once for all registries."""
    environment = {"VAR_DIR": str(folder), "DATABASE_URL": "", "SECRET_KEY": "bench"}
    NOW.run("manage.py", "collectstatic", "--noinput", "--verbosity", "0", **environment)
    return folder / "static"


def _write(output: Path | None, found: dict[str, Any]) -> None:
    if output:
        output.mkdir(parents=True, exist_ok=True)
        (output / "figures.json").write_text(json.dumps(found, indent=1))
        for name, page in report.files(found).items():
            (output / name).write_text(page)


if __name__ == "__main__":
    main()
