"""`manage.py unlock_sign_in [--user NAME] [--address ADDRESS]`."""

from django.core.management.base import BaseCommand, CommandError

from assets.accounts.registration.failed_sign_ins import unlock_as_operator


class Command(BaseCommand):
    help = "Let a user, or an address, try to sign in again at once after too many failures."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--user", default="", metavar="NAME", help="the name that was tried")
        parser.add_argument(
            "--address", default="", help="from where; of IPv6 the network, such as 2001:db8::/64"
        )

    def handle(self, *args, **options) -> None:
        if not options["user"] and not options["address"]:
            raise CommandError("Give --user, --address or both.")
        unlocked = unlock_as_operator(username=options["user"], address=options["address"])
        self.stdout.write("Unlocked." if unlocked else "Nothing failed there lately.")
