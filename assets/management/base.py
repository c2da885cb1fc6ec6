"""The base of our commands."""

from django.core.management.base import BaseCommand


class StartsAtOnce(BaseCommand):
    """A command without Django's checks of the source before it, which import every page.

    `make lint` runs them, and they say the same each time.
    """

    requires_system_checks = ()
