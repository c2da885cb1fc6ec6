"""`manage.py import FOLDER --user NAME [--dry-run] [--stop-at-first]`."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.core.management.base import CommandError
from django.db import DatabaseError

from assets.accounts.queries import find_user
from assets.common.errors import Refused
from assets.imports.advice import advice_on
from assets.imports.lists import NoLists
from assets.imports.registration import Import
from assets.imports.sources import FolderSource
from assets.imports.specs import Outcome, State
from assets.management.base import StartsAtOnce

# How each state is named in the summary; in a dry run, nothing is registered.
WORDS = {
    State.REGISTERED: "registered",
    State.NEW: "can be registered",
    State.KNOWN: "registered before",
    State.REFUSED: "with problems",
}
BAR_WIDTH = 30
# Without a terminal, progress is a line for each thousand rows.
ROWS_PER_LINE = 1000


class Command(StartsAtOnce):
    help = (
        "Register the datasets, functions and data samples that the lists of a folder name, for "
        "the organisation of a user. Run it again after an interruption: it skips what is "
        "registered. docs/importing.md describes the lists."
    )

    def add_arguments(self, parser) -> None:
        parser.add_argument("folder", type=Path, help="the folder with the lists and the files")
        parser.add_argument(
            "--user", required=True, metavar="NAME", help="who registers: an admin or member"
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="print every problem and warning, and register nothing",
        )
        parser.add_argument(
            "--stop-at-first", action="store_true", help="stop at the first row with a problem"
        )

    def handle(self, *args, **options) -> None:
        run = self._open(options["folder"], options["user"])
        outcomes = run.outcomes(dry_run=options["dry_run"])
        states: Counter[State] = Counter()
        try:
            for outcome in self._with_progress(outcomes, len(run.rows)):
                states[outcome.state] += 1
                self._report(outcome, options["verbosity"])
                if outcome.state is State.REFUSED and options["stop_at_first"]:
                    break
        except (OSError, DatabaseError) as error:
            raise CommandError(
                f"Stopped after {states.total()} of {len(run.rows)} rows: {error}. Run the command "
                "again: it continues with the rows that are not registered."
            ) from error
        summary = ", ".join(f"{states[state]} {WORDS[state]}" for state in WORDS if states[state])
        if states[State.REFUSED]:
            raise CommandError(f"{summary}. Fix these rows, then run the command again.")
        self.stdout.write(f"{summary}.")

    def _open(self, folder: Path, username: str) -> Import:
        user = find_user(username)
        if user is None or not user.is_active:
            raise CommandError(f"There is no active user {username!r}. Give another name.")
        if not folder.is_dir():
            raise CommandError(f"{folder} is not a folder. Give the folder with the lists.")
        try:
            return Import(FolderSource(folder), user)
        except Refused as refused:
            raise CommandError(f"{user.username}: {refused.first.sentence}") from refused
        except NoLists as error:
            raise CommandError(f"{folder}: {error}") from error

    def _report(self, outcome: Outcome, verbosity: int) -> None:
        for line in outcome.lines:
            self.stdout.write(line)
        if outcome.state is State.NEW:
            for column, text in advice_on(outcome):
                self.stdout.write(outcome.row.line(column, f"warning: {text}"))
        if verbosity > 1 and outcome.key:
            row, word = outcome.row, WORDS[outcome.state]
            self.stdout.write(f"{row.place}: {row.name} ({outcome.key}) {word}")

    def _with_progress(self, outcomes: Iterable[Outcome], total: int) -> Iterator[Outcome]:
        """Yield the outcomes, with a bar on a terminal, and otherwise with a line now and then."""
        is_terminal = self.stderr.isatty()
        for done, outcome in enumerate(outcomes, 1):
            if is_terminal and outcome.problems:
                self.stderr.write("\r\033[K", ending="")
            yield outcome
            if is_terminal:
                bar = "#" * (BAR_WIDTH * done // total)
                ending = "\n" if done == total else ""
                self.stderr.write(
                    f"\r[{bar:<{BAR_WIDTH}}] {done} of {total} rows", lambda text: text, ending
                )
            elif done % ROWS_PER_LINE == 0:
                self.stderr.write(f"{done} of {total} rows", lambda text: text)
        sys.stderr.flush()
