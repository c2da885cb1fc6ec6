"""Measures what slow clients do to others: `python -m tests.slow`; bounded, on loopback only.

Holds silent sockets, slow bodies and slow readers against a server of its own, and asks it for
`/livez` and for a page of somebody who is signed in meanwhile. Fails if 95 of 100 answers do not
come within a second. `--command` measures another server, for example:

    python -m tests.slow --command "granian --interface wsgi --port {port} project.wsgi:application"
"""

import argparse
import tempfile
import time
from pathlib import Path

from tests.bench.machine import children_of

from .clients import Client, Probe, half_a_head, held, left, silent, slow_body, slow_reader
from .site import DEFAULT, Site, serving

GOAL = 1.0
# Seconds until what the clients ask for at first is answered: a hundred downloads are a hundred
# rows of the audit trail.
SETTLE = 4
# Seconds that a probe waits before it gives up.
PATIENCE = 10.0


def bodies_of(site: Site, count: int) -> list[Client]:
    """Return clients with slow bodies, half of them of somebody who is signed in."""
    users = [
        slow_body(
            "/api/task/bulk_create/", 10**6, site.authorization, content_type="application/json"
        )
        for _ in range(count // 2)
    ]
    strangers = [
        slow_body("/api/api-token-auth/", 10_000, content_type="application/json")
        for _ in range(count - len(users))
    ]
    return users + strangers


def memory_of(site: Site) -> int:
    """Return the MB that the server's processes hold."""
    total = 0
    for pid in [site.process.pid, *children_of(site.process.pid)]:
        status = Path(f"/proc/{pid}/status").read_text()
        total += next(int(line.split()[1]) for line in status.splitlines() if "VmRSS" in line)
    return total // 1024


def measured(site: Site, seconds: float) -> list[Probe]:
    """Return what two probes saw in this time."""
    probes = [
        Probe("/livez", "/livez"),
        Probe("signed-in page", "/datasets/", (site.cookie,)),
    ]
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for probe in probes:
            probe.ask(site.address, PATIENCE)
        time.sleep(0.05)
    return probes


def report(title: str, probes: list[Probe]) -> bool:
    """Print a line for each probe; return whether all are within the goal."""
    for probe in probes:
        failed = f", {len(probe.failures)} failed ({probe.failures[0]!r})" if probe.failures else ""
        times = {"p50": 0.5, "p95": 0.95, "max": 1}
        figures = "  ".join(
            f"{name} {probe.percentile(share) * 1000:8.1f} ms" for name, share in times.items()
        )
        print(f"{title:24} {probe.name:15} n={len(probe.seconds):<4} {figures}{failed}", flush=True)
    return all(not probe.failures and probe.percentile(0.95) < GOAL for probe in probes)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.slow", description=__doc__)
    parser.add_argument("--command", default=DEFAULT, help="what starts the server")
    parser.add_argument("--seconds", type=float, default=8, help="how long each case is held")
    parser.add_argument("--silent", type=int, default=1000)
    parser.add_argument("--bodies", type=int, default=100)
    parser.add_argument("--readers", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, serving(Path(home), options.command) as site:
        half = options.silent // 2
        quiet = [silent() for _ in range(options.silent - half)]
        quiet += [half_a_head() for _ in range(half)]
        cases: dict[str, list[Client]] = {
            "no other clients": [],
            f"{options.silent} silent sockets": quiet,
            f"{options.bodies} slow bodies": bodies_of(site, options.bodies),
            f"{options.readers} slow readers": [
                slow_reader(site.download, site.authorization) for _ in range(options.readers)
            ],
        }
        cases["all of them"] = [client for case in cases.values() for client in case]
        fine = True
        for title, clients in cases.items():
            with held(site.address, clients):
                time.sleep(SETTLE)
                fine &= report(title, measured(site, options.seconds))
                print(f"{'':24} {left(clients)} held, {memory_of(site)} MB", flush=True)
    return not fine


if __name__ == "__main__":
    raise SystemExit(main())
