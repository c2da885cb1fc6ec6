"""`check`: Django's command, which also finds what the admin shows before it checks that."""

from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.management.commands import check


class Command(check.Command):
    def handle(self, *args: Any, **options: Any) -> Any:
        import_module(settings.ROOT_URLCONF)
        return super().handle(*args, **options)
