"""Measures one registry: `python -m tests.bench.measure OUTPUT`, in its environment.

Runs in a process of its own, since Django knows one database for life. What to measure comes from
the options; figures are written as JSON.
"""

import argparse
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
django.setup()

from tests.with_postgres import leave  # noqa: E402

from . import pages, reads, sdk, soak, uploading, writes  # noqa: E402
from .serving import serving  # noqa: E402
from .world import ORGANIZATIONS, token_of  # noqa: E402

TOKEN = token_of(ORGANIZATIONS[0])


def _reads(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    with serving(arguments.folder) as server:
        reader = reads.Reader(server, TOKEN, arguments.seconds, arguments.postmaster)
        for case in reads.cases():
            figures = reader.measure(case)
            yield figures | (reader.measure_last(case) if case.kind == "list" else {})


def _pages(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    with serving(arguments.folder) as server:
        yield from pages.measure(server, arguments.postmaster, arguments.seconds)


def _writes(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    with serving(arguments.folder) as server:
        registrar = writes.Registrar(server, TOKEN, arguments.postmaster)
        for registration in registrar.registrations(arguments.seconds / 5):
            yield registrar.measure(registration)


def _sdk(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    with serving(arguments.folder) as server:
        yield sdk.measure(server, TOKEN)


def _upload(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    with serving(arguments.folder, MAX_UPLOAD_SIZE=str(4 * 1024**3)) as server:
        yield uploading.measure(server, TOKEN, arguments.upload_size)


def _soak(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    with serving(arguments.folder) as server:
        registrar = writes.Registrar(server, TOKEN, arguments.postmaster)
        yield soak.Soak(server, registrar).run(arguments.minutes * 60)


# In this order: registering comes after what needs the data set unchanged.
PARTS = {
    "reads": _reads,
    "pages": _pages,
    "sdk": _sdk,
    "upload": _upload,
    "writes": _writes,
    "soak": _soak,
}


def main() -> None:
    # However we end, the servers that we started end too.
    signal.signal(signal.SIGTERM, leave)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("--folder", type=Path, required=True, help="for the server's log")
    parser.add_argument("--only", required=True)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--upload-size", type=int)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--postmaster", type=int)
    arguments = parser.parse_args()
    found: dict[str, list[dict[str, Any]]] = {}
    for name, part in PARTS.items():
        if name in arguments.only.split(","):
            found[name] = []
            for figures in part(arguments):
                found[name].append(figures)
                print(f"  {name}: {figures['name']}", flush=True)
    arguments.output.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
