"""Tables of organisations and users."""

from functools import partial
from typing import Any

import django_tables2 as tables
from django.utils.safestring import SafeString

from ..common.pages.markup import tag
from ..common.pages.tables import AssetTable, CountColumn, LinkColumn, WhenColumn
from .queries import owned_counts_of, user_counts_of


class OrganizationTable(AssetTable):
    name_columns = ("id", "name")
    default_columns = (
        "id",
        "name",
        "users",
        "datasets",
        "data_samples",
        "functions",
        "compute_plans",
    )

    id = LinkColumn("organization", attrs={"td": {"class": "name"}})
    name = tables.Column()
    users = CountColumn(user_counts_of)
    datasets = CountColumn(partial(owned_counts_of, "datasets"))
    data_samples = CountColumn(partial(owned_counts_of, "data-samples"), verbose_name="Samples")
    functions = CountColumn(partial(owned_counts_of, "functions"))
    compute_plans = CountColumn(partial(owned_counts_of, "compute-plans"), verbose_name="Plans")
    creation_date = WhenColumn(verbose_name="Joined")

    class Meta(AssetTable.Meta):
        exclude = ("key", "owner")
        sequence = ("id", "name", "...", "creation_date")
        order_by = "id"


class ActiveColumn(tables.Column):
    """May the user sign in?"""

    def render(self, value: bool) -> SafeString:
        return tag("active", "good") if value else tag("deactivated", "warn")

    def value(self, value: bool) -> str:
        return "active" if value else "deactivated"


class UserTable(AssetTable):
    name_columns = ("username", "organization_id")
    default_columns = ("username", "organization", "role", "is_active", "last_login", "date_joined")

    username = LinkColumn("user", verbose_name="User", attrs={"td": {"class": "name"}})
    organization = tables.Column(accessor="organization_id", verbose_name="Organisation")
    role = tables.Column()
    is_active = ActiveColumn(verbose_name="Sign-in")
    last_login = WhenColumn(verbose_name="Last signed in")
    date_joined = WhenColumn(verbose_name="Added")

    def render_role(self, record: Any) -> str:
        return "superuser" if record.is_superuser else record.role

    def value_role(self, record: Any) -> str:
        return self.render_role(record)

    class Meta(AssetTable.Meta):
        exclude = ("key", "owner", "creation_date")
        order_by = "username"
