"""`manage.py load_demo [--if-empty]`."""

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from assets.accounts.models import Organization
from assets.common.errors import Refused
from assets.demo.hospitals import HOSPITALS, PASSWORD, SUPERUSER
from assets.demo.load import is_loaded, load
from assets.management.base import StartsAtOnce, server_address


class Command(StartsAtOnce):
    help = (
        "Register the demo consortium: three hospitals, their data and functions, two studies. "
        "Its users, including a platform superuser, have a public password: never load it into a "
        "registry with real data."
    )

    def add_arguments(self, parser) -> None:
        parser.add_argument(
            "--if-empty", action="store_true", help="do nothing if any organisation exists"
        )

    def handle(self, *args, **options) -> None:
        if not (options["if_empty"] and Organization.objects.exists()):
            self.stdout.write("Registering the demo: three hospitals and their studies")
            self._load()
        if is_loaded():
            self._print_logins()

    def _load(self) -> None:
        try:
            load()
        except (ValidationError, Refused) as error:
            why = " ".join(getattr(error, "messages", [str(error)]))
            raise CommandError(f"The demo was not loaded: {why}") from error

    def _print_logins(self) -> None:
        address = server_address()
        self.stdout.write("The demo consortium is loaded. Its users, for this demo only:\n\n")
        row = "  {:<34} {:<18} {}"
        self.stdout.write(row.format("organisation", "user", "role"))
        for hospital in HOSPITALS:
            for username, role in hospital.users.items():
                self.stdout.write(row.format(hospital.name, username, role.value))
        self.stdout.write(row.format("(the whole platform)", SUPERUSER, "superuser"))
        self.stdout.write(f"\n  password of all users: {PASSWORD}\n\n")
        self.stdout.write(f"  Dashboard   {address}/")
        self.stdout.write(f"  Admin       {address}/admin/")
        self.stdout.write(f"  API         {address}/api/  (documentation: {address}/api/docs/)")
        self.stdout.write("  A token     .venv/bin/python manage.py create_token curie-member")
        self.stdout.write("  To run its second study: make work\n\n")
