"""The base of our commands, and what several of them need."""

import os

from django.core.management.base import BaseCommand


class StartsAtOnce(BaseCommand):
    """A command without Django's checks of the source before it, which import every page.

    `make lint` runs them, and they say the same each time.
    """

    requires_system_checks = ()


def server_address() -> str:
    """Return the URL at which `make serve` listens, from the same environment variables."""
    host, port = os.environ.get("HOST") or "127.0.0.1", os.environ.get("PORT") or "8000"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
