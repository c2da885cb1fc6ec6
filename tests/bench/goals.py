"""What is aimed at, and what the figures are held against.

The reference figures are of the reference server, measured on a like machine: 2 cores, PostgreSQL
15, 2 gunicorn workers, persistent database connections, 1,000 datasets, 20,000 data samples, 1,000
functions of 3 inputs and 2 outputs, 200 plans of 100 tasks.
"""

from dataclasses import dataclass

# Computing that a request may cost by itself, in milliseconds, and beyond it as a multiple of the
# floor.
FIXED_MS = 1.5
TIMES_FLOOR = 2.5
MAX_STATEMENTS = 10
# Requests per second of 8 clients, as a multiple of the reference's.
CLIENTS = 8
TIMES_REFERENCE = {"list": 5.0, "one": 2.0}
# The p50 of a list at the largest size, as a multiple of that at the smallest.
FLAT = 1.3
# Seconds, by what is registered in one request, and as a multiple of inserting the same rows.
REGISTERING = {"100 samples": 0.080, "1,000 tasks": 0.3, "10,000 tasks": 3.0}
TIMES_ROWS = 3.0
UPLOAD_GROWTH = 64 * 1024**2
# Milliseconds of server time.
PAGE_MS = 30.0
GRAPH_PAGE_MS = 100.0
GRAPH_PAGES = ("compute plan, 1,000 tasks", "its graph")


@dataclass(frozen=True, slots=True)
class Reference:
    """What the reference server takes: p50 of one client in milliseconds, 8 clients' requests/s."""

    p50: float
    per_second: float | None = None


READS = {
    "datasets, 10": Reference(11, 167),
    "datasets, 100": Reference(42, 35),
    "dataset": Reference(5.4, 351),
    "functions, 100": Reference(144, 13),
    "tasks, 100": Reference(240, 8),
    "task": Reference(9.7, 192),
    "plans, 10": Reference(31, 60),
    "plans, 100": Reference(260),
    "plan": Reference(7.1, 272),
    "graph, 100 tasks": Reference(13, 154),
}
# Seconds.
WRITES = {
    "1 dataset": 0.016,
    "1 function": 0.022,
    "100 samples": 0.616,
    "1,000 tasks": 15.6,
}
