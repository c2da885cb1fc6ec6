"""`manage.py prepare`: what `make serve` does before it serves."""

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from assets.immutable import is_guarded
from assets.management.base import StartsAtOnce


class Command(StartsAtOnce):
    help = (
        "Create the database or bring it up to date. Without DATABASE_URL, also load the demo into "
        "an empty registry, and print its logins."
    )

    def handle(self, *args, **options) -> None:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if not executor.loader.applied_migrations:
            self.stdout.write("Creating the database")
            call_command("migrate", interactive=False, verbosity=0)
        elif missing or not is_guarded():
            # A large registry takes a while: Django prints each step.
            call_command("migrate", interactive=False, stdout=self.stdout)
        if settings.EMBEDDED:
            call_command("load_demo", if_empty=True, stdout=self.stdout)
