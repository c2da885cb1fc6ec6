"""`manage.py create_organization ID [--name NAME]`."""

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from assets.accounts.registration.organizations import create_organization
from assets.management.base import StartsAtOnce


class Command(StartsAtOnce):
    help = "Add an organisation to the consortium."

    def add_arguments(self, parser) -> None:
        parser.add_argument("id", help="short and permanent, such as MyOrg1MSP")
        parser.add_argument("--name", default="", help="the name that pages show")

    def handle(self, *args, **options) -> None:
        try:
            organization = create_organization(options["id"], name=options["name"])
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(f"Organisation {organization} was created. Create its first user:")
        self.stdout.write(
            f"  manage.py create_user NAME --organization {organization.id} --role admin"
        )
