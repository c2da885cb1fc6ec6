"""`migrate`: Django's command, which also creates the triggers if a migration fails."""

from typing import Any

from django.core.management.commands import migrate

from assets.immutable import migrating


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> Any:
        with migrating(options["database"]):
            return super().handle(*args, **options)
