"""`manage.py check_files [--fast] [--remove-orphans]`."""

from django.core.management.base import CommandError
from django.db import models

from assets.integrity import MODELS, Finding, check_named, orphans, remove_orphan, tidy_up
from assets.management.base import StartsAtOnce
from assets.uploads.registration import discard_expired


class Command(StartsAtOnce):
    help = "Compare every stored file with the row that names it, and find files without a row."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--fast", action="store_true", help="compare sizes only, no checksums")
        parser.add_argument(
            "--remove-orphans",
            action="store_true",
            help="delete files that no row names, unless they are younger than an hour, and files "
            "that were not registered within a day of their upload",
        )

    def handle(self, *args, **options) -> None:
        if options["remove_orphans"]:
            discard_expired()
            tidy_up()
        checked = wrong = 0
        for model in MODELS:
            of_model, wrong_of_model = self._check(model, fast=options["fast"])
            checked, wrong = checked + of_model, wrong + wrong_of_model
        # With the wrong database, all files of the storage would be orphans.
        if options["remove_orphans"] and not checked:
            raise CommandError("No row names a file, so none was removed: is this the database?")
        wrong += self._check_orphans(remove=options["remove_orphans"])
        if wrong:
            raise CommandError(f"{wrong} files are missing, damaged or orphans.")
        self.stdout.write("Rows and files agree.")

    def _check(self, model: type[models.Model], *, fast: bool) -> tuple[int, int]:
        """Print the findings for files of `model`; return the numbers of checked and wrong ones."""
        checked = wrong = 0
        for finding in check_named(model, fast=fast):
            checked += 1
            if finding:
                wrong += 1
                self.stdout.write(str(finding))
        self.stdout.write(f"{model._meta.verbose_name}: {checked} files, {wrong} wrong")
        return checked, wrong

    def _check_orphans(self, *, remove: bool) -> int:
        """Print the files that no row names; return how many remain."""
        found = removed = 0
        for name in orphans():
            found += 1
            self.stdout.write(str(Finding("orphan", "file", name)))
            if remove and remove_orphan(name):
                removed += 1
        self.stdout.write(f"orphans: {found} files, {removed} removed")
        return found - removed
