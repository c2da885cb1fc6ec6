"""`manage.py backup DIR [--link] [--previous DIR] [--keep-going]`."""

from pathlib import Path

from django.core.management.base import CommandError
from django.template.defaultfilters import filesizeformat

from assets.backups.making import make_backup
from assets.backups.manifest import BackupError
from assets.management.base import StartsAtOnce

PREVIEW_ROWS = 20


class Command(StartsAtOnce):
    help = (
        "Write all rows and stored files into a new folder while the server runs, from one "
        "snapshot. It leaves out the secret key, sessions, staged files, and folders that were "
        "registered in place."
    )

    def add_arguments(self, parser) -> None:
        parser.add_argument("folder", type=Path, help="an empty folder, or one that does not exist")
        parser.add_argument(
            "--link",
            action="store_true",
            help="make hard links instead of copies if storage and backup are on one disk",
        )
        parser.add_argument(
            "--previous", type=Path, metavar="DIR", help="link files that this earlier backup has"
        )
        parser.add_argument(
            "--keep-going",
            action="store_true",
            help="back up the rest if files are missing or damaged, and fail at the end",
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
                f"Without {len(manifest.damaged)} files that are missing or damaged (the manifest "
                f"lists all):\n{listed}"
            )
