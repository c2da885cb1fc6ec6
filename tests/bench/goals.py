"""What is aimed at."""

from dataclasses import dataclass

# Computing that a request may cost by itself, in milliseconds, and beyond it as a multiple of the
# floor.
FIXED_MS = 1.5
TIMES_FLOOR = 2.5
MAX_STATEMENTS = 10
CLIENTS = 8
# The p50 of a list at the largest size, as a multiple of that at the smallest.
FLAT = 1.3
# Seconds, by what is registered in one request, and as a multiple of inserting the same rows.
REGISTERING = {"100 samples": 0.080, "1,000 tasks": 0.25, "10,000 tasks": 2.0}
TIMES_ROWS = 3.0
UPLOAD_GROWTH = 64 * 1024**2
# Milliseconds of server time.
PAGE_MS = 30.0
GRAPH_PAGE_MS = 100.0
GRAPH_PAGES = ("compute plan, 1,000 tasks", "its graph")


@dataclass(frozen=True, slots=True)
class Goal:
    """What a line aims at, as multiples of BASE.

    Attributes:
        times: of requests per second at least, of times and memory at most.
        cpu: of the computing for one request, at most.
        peer: how many times as fast as the reference server BASE is. Both were measured in turns
            on one machine: 2 cores, PostgreSQL 15, 2 gunicorn workers, persistent connections.
    """

    times: float | None = None
    cpu: float | None = None
    peer: float | None = None


BESIDE = {
    "datasets, 10": Goal(1.9, 0.6, 4.4),
    "datasets, 100": Goal(1.3, 0.6, 5.3),
    "datasets, match": Goal(1.9, 0.6, 3.2),
    "samples, 100": Goal(1.9, 0.6, 4.8),
    "functions, 100": Goal(1.3, 0.6, 25),
    "tasks, 100": Goal(1.3, 0.6, 27),
    "plans, 10": Goal(1.3, 0.6, 11),
    "dataset": Goal(1.9, 0.6, 3.0),
    "function": Goal(1.9, 0.6, 3.0),
    "task": Goal(1.9, 0.6, 3.9),
    "plan": Goal(1.9, 0.6, 4.2),
    "graph, 100 tasks": Goal(1.9, 0.6, 3.2),
    "home": Goal(0.77),
    "list of datasets": Goal(0.77),
    "list of tasks": Goal(0.77),
    "page of a dataset": Goal(0.77),
    "page of a plan": Goal(0.77),
    "page of a task": Goal(0.77),
    "1 dataset": Goal(0.45, None, 0.94),
    "1 function": Goal(0.45, None, 0.86),
    "1,000 samples": Goal(0.5),
    "1,000 tasks": Goal(0.57),
    "10,000 tasks": Goal(0.51),
    "fan-in, registered": Goal(0.1),
    "fan-in, listed": Goal(0.067),
    "fan-in, database": Goal(0.05),
    "first make serve": Goal(0.4),
    "worker after its start": Goal(0.75),
}
# Absolute goals of lines, in the unit of the line.
AT_MOST = {"manage.py check": 0.6, "restart to /livez": 2.0, "fan-in, memory": 400.0}
AT_LEAST = {"1,000 datasets, imported": 200.0}


def goal_of(name: str) -> Goal:
    """Return the goal of a line; one without wishes for others."""
    return BESIDE.get(name, Goal())
