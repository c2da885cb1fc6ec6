"""Reads the whole corpus in a process that may take only so much; run by `test_bounds`."""

import json
import os
import resource
import sys
import tempfile
import traceback
from collections.abc import Callable
from typing import IO

MEMORY, CPU_SECONDS = 1024**3, 300


def peak_of(work: Callable[[], None]) -> int:
    """The most memory, in bytes, that a process like this one has held when it has done this."""
    child = os.fork()
    if not child:
        try:
            work()
            os._exit(0)
        except BaseException:  # noqa: BLE001
            traceback.print_exc()
        finally:
            os._exit(1)
    _, status, usage = os.wait4(child, 0)
    assert status == 0, status
    return usage.ru_maxrss * 1024


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    import django

    django.setup()
    from django.core.files.base import File

    from assets.common.files.archives.check import inspect
    from assets.common.files.archives.preview import preview_archive
    from assets.datasets.openers import opener_advice
    from assets.functions.rules import archive_advice
    from tests.corpus.hostile import HARMLESS, LARGE, REFUSED

    makes = {name: make for name, (make, _) in (REFUSED | LARGE).items()} | HARMLESS
    found = {}
    for name, make in makes.items():
        with tempfile.TemporaryFile() as kept, tempfile.TemporaryFile("w+") as expected:

            def write(make: Callable[[], bytes] = make, kept: IO[bytes] = kept) -> None:
                kept.write(make())
                kept.flush()

            def read(kept: IO[bytes] = kept, expected: IO[str] = expected) -> None:
                file = File(kept, "archive")
                _, problems = inspect(file, asset="", field="")
                preview_archive(file, "Dockerfile", 1000)
                archive_advice(file)
                opener_advice(file)
                expected.write(problems[0].message if problems else "")
                expected.flush()

            peak_of(write)  # elsewhere, as what makes an archive takes memory too
            growth = peak_of(read) - peak_of(lambda: None)
            expected.seek(0)
            found[name] = expected.read(), growth
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
