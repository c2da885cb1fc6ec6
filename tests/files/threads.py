"""Doing the same thing in several threads at once, each with a database connection of its own."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connections

from assets.common.errors import Refused

THREADS = 8
# Well above what a lock may be waited for.
PATIENCE = 60


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Start all calls together; return what each returned, or the `Refused` that it raised."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            start.wait(PATIENCE)
            return call()
        except Refused as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result(PATIENCE) for future in [pool.submit(run, call) for call in calls]]


def refusals(outcomes: Sequence[Any]) -> list[Refused]:
    return [outcome for outcome in outcomes if isinstance(outcome, Refused)]
