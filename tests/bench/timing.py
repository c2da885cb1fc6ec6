"""What one client's requests take: how long, and how much computing."""

from .client import Server, time_one, warm_up
from .machine import Meter
from .serving import Serving


def timed(
    serving: Serving, postmaster: int | None, server: Server, request: bytes, seconds: float
) -> dict[str, float]:
    """Ask for some seconds, or 200 times; return latency and computing, in milliseconds."""
    warm_up(server, [request])
    # Few are enough for a look; a figure needs more.
    fewest = 200 if seconds >= 3 else 20
    workers, database = Meter(serving.pid), Meter(postmaster)
    timing = time_one(server, request, seconds, fewest)
    return {
        "requests": timing.requests,
        "p50_ms": timing.p50,
        "p95_ms": timing.p95,
        "server_ms": workers.seconds() / timing.requests * 1000,
        "database_ms": database.seconds() / timing.requests * 1000,
    }
