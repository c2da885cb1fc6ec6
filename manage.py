#!/usr/bin/env python
"""Registrar's command line: `python manage.py help` lists the commands."""

import gc
import os
import sys


def main() -> None:
    if sys.argv[1:2] == ["runner"]:
        run_runner()
        return
    # Importing Django makes many objects and no garbage: search for it less often than every 700.
    gc.set_threshold(20_000, 10, 10)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


def run_runner() -> None:
    """Run the command for an organisation's own machine, which has no settings of a server."""
    from django.conf import settings

    settings.configure(USE_I18N=False)
    from assets.management.commands.runner import Command

    Command().run_from_argv(sys.argv)


if __name__ == "__main__":
    main()
