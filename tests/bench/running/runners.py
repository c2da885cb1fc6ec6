"""The demo on a server with a runner for each of its hospitals, and its study beside the SDK's."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.bench.builds import NOW, ROOT
from tests.bench.databases import empty_registry
from tests.bench.serving import serving

from . import study

JOBS = 2


@contextlib.contextmanager
def working_demo(database: str, *options: str) -> Iterator[str]:
    """Yield the address of a server whose demo hospitals each have a runner, which has started.

    Args:
        options: of the runners.
    """
    with empty_registry(database) as filled:
        environment = os.environ | filled.environment
        for command in (["migrate", "-v0"], ["load_demo"], ["collectstatic", "--noinput", "-v0"]):
            NOW.run("manage.py", *command, captured=True, **filled.environment)
        with serving(filled.folder, NOW, **filled.environment) as server:
            address = server.as_client().address
            work = [sys.executable, "manage.py", "work", "--server", address, "--", *options]
            with (filled.folder / "work.log").open("wb") as log:
                working = subprocess.Popen(
                    work, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
                )
            try:
                yield address
            except BaseException:
                print((filled.folder / "work.log").read_text()[-3000:], file=sys.stderr)
                raise
            finally:
                working.terminate()
                working.wait()


def study_beside_the_sdk(database: str, rounds: int, folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the seconds of the study on runners, and by the SDK in turns; the best of each."""
    study.write(folder)
    taken: list[list[float]] = [[], []]
    with working_demo(database, "--jobs", str(JOBS)) as address:
        # The functions are built, and their environment is installed.
        _run(folder, address)
        for _ in range(rounds):
            taken[0].append(_run(folder)["seconds"])
            taken[1].append(_run(folder, address)["seconds"])
    yield {
        "name": "study of 50 tasks, beside the SDK",
        "unit": "s",
        "values": [min(one) for one in taken],
        "goal": 0.6,
        "at_most": True,
        "rounds": taken,
    }


def _run(folder: Path, *urls: str) -> dict[str, Any]:
    found = study.run(folder, *urls)
    if found["status"] != "PLAN_STATUS_DONE":
        raise SystemExit(f"the study is {found['status']}: {json.dumps(found)}")
    return found
