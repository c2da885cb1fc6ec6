"""What one client's requests take: how long, and how much computing.

Whatever else a machine does only adds, also to CPU time, as two processors may be halves of one.
So each figure is that of the best of a few rounds, and its floor is measured in the same way.
"""

from .client import Server, time_one, warm_up
from .machine import Meter
from .serving import Serving

ROUNDS = 5
# For a figure. In less than three seconds one takes a look, and is content with fewer.
FEWEST, FEWEST_AT_A_LOOK = 200, 40


def timed(
    serving: Serving, postmaster: int | None, server: Server, request: bytes, seconds: float
) -> dict[str, float]:
    """Ask for some seconds, or 200 times; return latency and computing, in milliseconds."""
    warm_up(server, [request])
    fewest = (FEWEST if seconds >= 3 else FEWEST_AT_A_LOOK) // ROUNDS
    found = [
        _one_round(serving, postmaster, server, request, seconds / ROUNDS, fewest)
        for _ in range(ROUNDS)
    ]
    best = {name: min(figures[name] for figures in found) for name in found[0]}
    return best | {"requests": sum(figures["requests"] for figures in found)}


def _one_round(
    serving: Serving,
    postmaster: int | None,
    server: Server,
    request: bytes,
    seconds: float,
    fewest: int,
) -> dict[str, float]:
    workers, database = Meter(serving.pid), Meter(postmaster)
    timing = time_one(server, request, seconds, fewest)
    return {
        "requests": timing.requests,
        "p50_ms": timing.p50,
        "p95_ms": timing.p95,
        "server_ms": workers.seconds() / timing.requests * 1000,
        "database_ms": database.seconds() / timing.requests * 1000,
    }
