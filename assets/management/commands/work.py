"""`manage.py work [--server URL] [-- OPTIONS]`."""

import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError
from django.db import connection

from assets.accounts.models import Organization
from assets.demo.runners import runner_tokens
from assets.management.base import StartsAtOnce, server_address


class Command(StartsAtOnce):
    help = (
        "Run what is registered in the demo: start a runner for each of its hospitals on this "
        "machine, until Ctrl-C."
    )

    def add_arguments(self, parser) -> None:
        parser.add_argument(
            "--server", default=server_address(), metavar="URL", help="%(default)s by default"
        )
        parser.add_argument(
            "options", nargs="*", help="of the runners, after --: see `manage.py runner --help`"
        )

    def handle(self, *args, **options) -> None:
        folder = settings.VAR_DIR / "runners"
        try:
            tokens = runner_tokens(folder / "tokens")
        except Organization.DoesNotExist as error:
            raise CommandError("The demo is not loaded. Run `make serve` first.") from error
        connection.close()
        command = [sys.executable, "manage.py", "runner", "--server", options["server"]]
        # One folder: what a function needs is installed once for the three of them.
        command += ["--folder", str(folder / "cache"), *options["options"]]
        self._run(command, tokens)

    def _run(self, command: Sequence[str], tokens: Mapping[str, Path]) -> None:
        runners = {
            slug: subprocess.Popen([*command, "--token-file", str(file)])  # noqa: S603  ours
            for slug, file in tokens.items()
        }
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        try:
            while all(runner.poll() is None for runner in runners.values()):
                time.sleep(0.2)
        except KeyboardInterrupt:
            pass
        finally:
            for runner in runners.values():
                runner.terminate()
            codes = [runner.wait() for runner in runners.values()]
        if any(code > 0 for code in codes):
            raise CommandError("A runner stopped; it says why above.")
