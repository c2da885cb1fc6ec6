"""`collectstatic`: Django's command, with files that other users, such as nginx, can read."""

import os
from typing import Any

from django.contrib.staticfiles.management.commands import collectstatic


class Command(collectstatic.Command):
    def handle(self, **options: Any) -> Any:
        before = os.umask(0o022)
        try:
            return super().handle(**options)
        finally:
            os.umask(before)
