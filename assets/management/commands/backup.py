"""`manage.py backup DIR [--link] [--previous DIR] [--keep-going]`."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.template.defaultfilters import filesizeformat

from assets.backups.making import make_backup
from assets.backups.manifest import BackupError

PREVIEW_ROWS = 20


class Command(BaseCommand):
    help = (
        "Write every row and every stored file into a new folder, as of one moment, while the "
        "server runs. Not in it: the secret key, who is signed in, files that wait for a form, and "
        "folders that were registered in place."
    )

    def add_arguments(self, parser) -> None:
        parser.add_argument("folder", type=Path, help="a folder that is empty, or not there yet")
        parser.add_argument(
            "--link",
            action="store_true",
            help="hard links instead of copies, where storage and backup are on one disk",
        )
        parser.add_argument(
            "--previous", type=Path, metavar="DIR", help="link files that this backup has already"
        )
        parser.add_argument(
            "--keep-going",
            action="store_true",
            help="back up the rest if files are missing or not as registered, and fail at the end",
        )

    def handle(self, *args, **options) -> None:
        try:
            manifest = make_backup(
                options["folder"],
                link=options["link"],
                previous=options["previous"],
                keep_going=options["keep_going"],
            )
        except (BackupError, OSError) as error:
            raise CommandError(str(error)) from error
        rows = sum(table.rows for table in manifest.tables)
        self.stdout.write(
            f"Backed up {rows} rows and {manifest.files} files "
            f"({filesizeformat(manifest.bytes)}) to {options['folder']}."
        )
        if manifest.damaged:
            listed = "\n".join(f"  {name}" for name in manifest.damaged[:PREVIEW_ROWS])
            raise CommandError(
                f"Without {len(manifest.damaged)} files that are missing or not as registered "
                f"(the manifest lists all):\n{listed}"
            )
