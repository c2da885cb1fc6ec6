"""`manage.py unlock_sign_in [--user NAME] [--address ADDRESS]`."""

from django.core.management.base import CommandError

from assets.accounts.registration.failed_sign_ins import unlock_as_operator
from assets.management.base import StartsAtOnce


class Command(StartsAtOnce):
    help = "Let a user or an address sign in again at once after too many failed attempts."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--user", default="", metavar="NAME", help="the name that was used")
        parser.add_argument(
            "--address", default="", help="the address; for IPv6 a network, such as 2001:db8::/64"
        )

    def handle(self, *args, **options) -> None:
        if not options["user"] and not options["address"]:
            raise CommandError("Give --user, --address or both.")
        unlocked = unlock_as_operator(username=options["user"], address=options["address"])
        self.stdout.write("Unlocked." if unlocked else "There were no recent failed attempts.")
