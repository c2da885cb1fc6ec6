"""`manage.py restore DIR`."""

from pathlib import Path

from django.core.management.base import CommandError
from django.template.defaultfilters import filesizeformat

from assets.backups.manifest import BackupError
from assets.backups.restoring import restore_backup
from assets.datasets.models import DataSample
from assets.management.base import StartsAtOnce


class Command(StartsAtOnce):
    help = (
        "Restore all rows and files of a backup into an empty, migrated instance, and compare "
        "their checksums. The database and the storage can be of another kind, and the backup of "
        "an earlier version."
    )

    def add_arguments(self, parser) -> None:
        parser.add_argument("folder", type=Path, help="the folder that `backup` wrote")

    def handle(self, *args, **options) -> None:
        # Progress has lines of its own.
        self.stdout.ending = ""
        try:
            manifest = restore_backup(options["folder"], self.stdout)
        except (BackupError, OSError) as error:
            raise CommandError(f"{error}\nNothing was restored.") from error
        rows = sum(table.rows for table in manifest.tables)
        self.stdout.write(
            f"Restored {rows} rows and {manifest.files} files "
            f"({filesizeformat(manifest.bytes)}) of {manifest.made_at}. All checksums agree.\n"
        )
        if folders := DataSample.objects.filter(at_runner=False).exclude(path="").count():
            self.stdout.write(
                f"{folders} data samples are folders of the server, which are not in the backup. "
                "Copy them to the same paths, then run `check_files` to compare them.\n"
            )
        if manifest.damaged:
            self.stderr.write(
                f"{len(manifest.damaged)} files were damaged when the backup was made, and are not "
                f"in it, such as {manifest.damaged[0]}. The manifest lists them all."
            )
