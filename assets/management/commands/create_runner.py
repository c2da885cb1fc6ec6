"""`manage.py create_runner ORGANISATION NAME [--token-file FILE]`."""

import os
from pathlib import Path

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db import transaction

from assets.accounts.models import Organization
from assets.accounts.registration.runners import create_runner
from assets.management.base import StartsAtOnce


class Command(StartsAtOnce):
    help = "Register a runner of an organisation, and print only its token, for use in scripts."

    def add_arguments(self, parser) -> None:
        parser.add_argument("organization", help="the ID of the organisation that it works for")
        parser.add_argument("name", help="such as the name of its machine")
        parser.add_argument(
            "--token-file",
            type=Path,
            metavar="FILE",
            help="write the token here, for the owner of the file only, in place of printing it",
        )

    def handle(self, *args, **options) -> None:
        id, path = options["organization"], options["token_file"]
        organization = Organization.objects.filter(pk=id).first()
        if organization is None:
            raise CommandError(
                f"There is no organisation {id!r}. Create one: manage.py create_organization {id}"
            )
        try:
            # No runner remains whose token could not be written.
            with transaction.atomic():
                runner, secret = create_runner(organization, name=options["name"])
                if path:
                    _write(path, secret)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except OSError as error:
            raise CommandError(
                f"The token cannot be written to {path}: {error.strerror}. Choose another file."
            ) from error
        where = f"Its token is in {path}." if path else "Its token is shown only once:"
        self.stderr.write(f"Runner {runner} of {organization} was registered. {where}")
        if not path:
            self.stdout.write(secret)


def _write(path: Path, secret: str) -> None:
    """Write the token to a new file that only its owner can read.

    Raises:
        OSError: there is such a file already, or none can be made.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{secret}\n")
