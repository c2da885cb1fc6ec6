"""`manage.py restore DIR`."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.template.defaultfilters import filesizeformat

from assets.backups.manifest import BackupError
from assets.backups.restoring import restore_backup
from assets.datasets.models import DataSample


class Command(BaseCommand):
    help = (
        "Fill an empty, migrated instance with a backup: every row and file, compared with their "
        "checksums, or nothing. Any database and storage takes a backup of any other."
    )

    def add_arguments(self, parser) -> None:
        parser.add_argument("folder", type=Path, help="what `backup` has written")

    def handle(self, *args, **options) -> None:
        try:
            manifest = restore_backup(options["folder"])
        except (BackupError, OSError) as error:
            raise CommandError(f"{error}\nNothing was restored.") from error
        rows = sum(table.rows for table in manifest.tables)
        self.stdout.write(
            f"Restored {rows} rows and {manifest.files} files "
            f"({filesizeformat(manifest.bytes)}) of {manifest.made_at}; all checksums agree."
        )
        if folders := DataSample.objects.exclude(path="").count():
            self.stdout.write(
                f"{folders} data samples are folders of the server, which no backup holds: bring "
                "them to the same paths; `check_files` compares them."
            )
        if manifest.damaged:
            self.stderr.write(
                f"{len(manifest.damaged)} files were damaged already when the backup was made, and "
                f"are not in it, such as {manifest.damaged[0]}; its manifest lists them all."
            )
