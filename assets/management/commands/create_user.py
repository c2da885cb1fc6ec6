"""`manage.py create_user NAME --organization ID --role ROLE [--password-stdin]`."""

import getpass
import sys

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from assets.accounts.models import Organization, Role
from assets.accounts.registration.users import create_user
from assets.management.base import StartsAtOnce


class Command(StartsAtOnce):
    help = "Add a user to an organisation."

    def add_arguments(self, parser) -> None:
        parser.add_argument("name", help="the name to sign in with")
        parser.add_argument("--organization", metavar="ID", help="the user's organisation")
        parser.add_argument("--role", choices=Role.values, default=Role.MEMBER)
        parser.add_argument(
            "--password-stdin", action="store_true", help="read the password from standard input"
        )
        parser.add_argument(
            "--superuser", action="store_true", help="manages all organisations, and needs none"
        )

    def handle(self, *args, **options) -> None:
        try:
            user = create_user(
                options["name"],
                organization=self._organization(options["organization"]),
                role=options["role"],
                password=self._password(from_stdin=options["password_stdin"]),
                is_superuser=options["superuser"],
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        where = f"of {user.organization}" if user.organization else "without an organisation"
        self.stdout.write(f"User {user.username} {where} was created as {user.role}.")
        if not user.has_usable_password():
            self.stdout.write("Without a password, the user can only use API tokens. Create one:")
            self.stdout.write(f"  manage.py create_token {user.username}")

    def _organization(self, id: str | None) -> Organization | None:
        if id is None:
            return None
        organization = Organization.objects.filter(pk=id).first()
        if organization is None:
            known = ", ".join(Organization.objects.values_list("id", flat=True)) or "none yet"
            raise CommandError(
                f"There is no organisation {id!r} (existing: {known}). Create it: "
                f"manage.py create_organization {id}"
            )
        return organization

    def _password(self, *, from_stdin: bool) -> str | None:
        """Return the password; None for a user who only uses API tokens."""
        if from_stdin:
            password = sys.stdin.readline().rstrip("\r\n")
            if not password:
                raise CommandError("Standard input has no password. Write it on one line.")
            return password
        if not sys.stdin.isatty():
            return None
        password = getpass.getpass("Password (empty for API tokens only): ")
        if password and password != getpass.getpass("Password again: "):
            raise CommandError("The two passwords differ, so no user was created.")
        return password or None
