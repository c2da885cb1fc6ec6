"""Reads the whole corpus in a process that may take only so much; run by `test_bounds`."""

import json
import os
import resource
import sys

MEMORY, CPU_SECONDS = 1024**3, 300


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    import django

    django.setup()
    from django.core.files.base import ContentFile

    from assets.common.archives import glimpse, inspect
    from assets.datasets.openers import opener_advice
    from assets.functions.rules import archive_advice
    from tests.corpus.hostile import HARMLESS, LARGE, REFUSED

    makes = {name: make for name, (make, _) in (REFUSED | LARGE).items()} | HARMLESS
    found = {}
    for name, make in makes.items():
        file = ContentFile(make())
        _, problems = inspect(file, asset="", field="")
        found[name] = problems[0].message if problems else ""
        glimpse(file, "Dockerfile", 1000)
        archive_advice(file)
        opener_advice(file)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
