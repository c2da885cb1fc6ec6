"""A runner in a process of its own, whose functions sleep: `python -m tests.runner.alone`."""

import resource
import sys
from pathlib import Path

from django.conf import settings

from assets.runner.start import start

from .engine import Call, FakeEngine

OPTIONS = {
    "jobs": 2,
    "data_root": None,
    "cache_size": 10**8,
    "time_limit": 60.0,
    "memory_limit": 10**9,
    "output_limit": 10**6,
    "once": False,
}


def main(server: str, token: str, folder: str, seconds: str, grace: str, largest: str) -> None:
    settings.configure(USE_I18N=False)
    sys.stdout.reconfigure(line_buffering=True)
    if int(largest):  # no file may be larger, as if the disk was full
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(largest), int(largest)))

    def function(call: Call) -> None:
        (Path(folder) / "begun").touch()
        call.stop.wait(float(seconds))
        for path in call.outputs.values():
            path.write_text("weights")

    options = {
        **OPTIONS,
        "server": server,
        "token": token,
        "folder": Path(folder),
        "grace": float(grace),
    }
    start(options, "1", lambda text: sys.stdout.write(f"{text}\n"), FakeEngine(function))


if __name__ == "__main__":
    main(*sys.argv[1:])
