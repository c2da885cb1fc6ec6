"""`manage.py create_token NAME [--note NOTE] [--expires DAYS]`."""

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.utils import timezone

from assets.accounts.queries import find_user
from assets.accounts.registration.tokens import create_token
from assets.common.text.moments import utc
from assets.management.base import StartsAtOnce


class Command(StartsAtOnce):
    help = "Create an API token of a user, and print only its secret, for use in scripts."

    def add_arguments(self, parser) -> None:
        parser.add_argument("name", help="the user that the token authenticates")
        parser.add_argument("--note", default="", help="what the token is for")
        parser.add_argument(
            "--expires", type=float, default=365, metavar="DAYS", help="365 by default"
        )

    def handle(self, *args, **options) -> None:
        user = find_user(options["name"])
        if user is None:
            raise CommandError(
                f"There is no user {options['name']!r}. Create one: manage.py create_user "
                f"{options['name']} --organization ID"
            )
        if not user.is_active:
            raise CommandError(
                f"{user.username} is not active. Activate the user in the admin first."
            )
        if not options["expires"] > 0:  # also refuses nan
            raise CommandError("--expires needs a number of days above zero, such as 90.")
        try:
            expires_at = timezone.now() + timedelta(days=options["expires"])
            token, secret = create_token(user, expires_at=expires_at, note=options["note"])
        except (ValidationError, OverflowError) as error:
            messages = getattr(error, "messages", ["--expires is too far away."])
            raise CommandError(" ".join(messages)) from error
        self.stderr.write(
            f"Token of {user.username}, valid until {utc(token.expires_at)}. It is shown only once:"
        )
        self.stdout.write(secret)
