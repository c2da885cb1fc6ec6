"""`migrate`: Django's command, which also creates the triggers if a migration fails.

On PostgreSQL, readers queue behind a statement that waits for a lock. So it gives up a lock that it
does not get at once, and tries again.
"""

import time
from typing import Any

from django.core.checks import Tags
from django.core.management.commands import migrate
from django.db import OperationalError, connections

from assets.common.db.operations import lock_timeout
from assets.immutable import migrating

LOCK_TIMEOUT = "500ms"
LOCK_NOT_AVAILABLE = "55P03"


class Command(migrate.Command):
    # The other checks import every page, and say the same each time: `make lint` runs them.
    requires_system_checks = (Tags.database, Tags.models)

    def handle(self, *args: Any, **options: Any) -> Any:
        database = options["database"]
        with migrating(database), lock_timeout(connections[database], LOCK_TIMEOUT):
            while True:
                try:
                    return super().handle(*args, **options)
                except OperationalError as error:
                    # A migration that was interrupted can be run again.
                    if getattr(error.__cause__, "sqlstate", None) != LOCK_NOT_AVAILABLE:
                        raise
                self.stdout.write("\nA table that changes is in use. Trying again.")
                time.sleep(1)
