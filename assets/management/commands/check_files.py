"""`manage.py check_files [--fast] [--remove-orphans]`."""

from django.core.management.base import BaseCommand, CommandError

from assets.integrity import MODELS, Finding, check_named, orphans, remove_orphan


class Command(BaseCommand):
    help = "Compare every stored file with the row that names it, and find files that none names."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--fast", action="store_true", help="sizes only, no checksums")
        parser.add_argument(
            "--remove-orphans",
            action="store_true",
            help="delete files that no row names, unless they are younger than an hour",
        )

    def handle(self, *args, **options) -> None:
        found = 0
        for model in MODELS:
            found += self._check(model, fast=options["fast"])
        for orphan in orphans():
            found += self._tell_orphan(orphan, remove=options["remove_orphans"])
        if found:
            raise CommandError(f"{found} files are not as they should be.")
        self.stdout.write("Rows and files agree.")

    def _check(self, model, *, fast: bool) -> int:
        checked = wrong = 0
        for finding in check_named(model, fast=fast):
            checked += 1
            if finding:
                wrong += 1
                self.stdout.write(str(finding))
        self.stdout.write(f"{model._meta.verbose_name}: {checked} files, {wrong} wrong")
        return wrong

    def _tell_orphan(self, orphan: Finding, *, remove: bool) -> bool:
        """Tell of an orphan; return whether it is still there."""
        if remove and remove_orphan(orphan.name):
            self.stdout.write(f"removed   {orphan.name}")
            return False
        self.stdout.write(str(orphan))
        return True
