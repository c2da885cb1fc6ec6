"""`manage.py runner --server URL --token-file FILE`: no server's settings, and no database."""

from datetime import datetime

from django.core.management.base import CommandError

from assets.management.base import StartsAtOnce
from assets.runner.connection import Refusal, TokenRefused
from assets.runner.engines import EngineError
from assets.runner.options import add_options
from assets.runner.start import start
from project import __version__


class Command(StartsAtOnce):
    help = (
        "Run what is registered, beside an organisation's data: builds functions, and runs the "
        "tasks that work on data of the organisation to which the token belongs."
    )
    requires_migrations_checks = False

    def add_arguments(self, parser) -> None:
        add_options(parser)

    def handle(self, *args, **options) -> None:
        try:
            start(options, __version__, self._say)
        except TokenRefused as error:
            raise CommandError(
                f"The server refuses the token: {error} Create another runner on the page Runners "
                "of your organisation, and start with its token."
            ) from error
        except (EngineError, Refusal, ValueError, OSError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Stopped at once; what ran is run again.") from None

    def _say(self, text: str) -> None:
        # Functions choose their names and what they print: a terminal must not obey it.
        shown = "".join(
            char if char.isprintable() or char == "\n" else "\N{REPLACEMENT CHARACTER}"
            for char in text
        )
        self.stdout.write(f"{datetime.now():%H:%M:%S} {shown}")
        self.stdout.flush()
