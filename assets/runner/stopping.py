"""How work that is no longer wanted ends."""

from threading import Event


class Stopped(Exception):
    """The work is no longer wanted."""


def check(stop: Event) -> None:
    """Raise `Stopped` if the event is set."""
    if stop.is_set():
        raise Stopped
