"""`migrate`: Django's own, after which registered rows are guarded even where it fails."""

from typing import Any

from django.core.management.commands import migrate

from assets.immutable import migrating


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> Any:
        with migrating(options["database"]):
            return super().handle(*args, **options)
