#!/usr/bin/env python
"""Registrar's command line: `python manage.py help` lists the commands."""

import gc
import os
import sys


def main() -> None:
    # Importing Django makes many objects and no garbage: search for it less often than every 700.
    gc.set_threshold(20_000, 10, 10)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
