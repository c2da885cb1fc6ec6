"""Tables of organisations and users."""

from functools import partial
from typing import Any

import django_tables2 as tables
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy as _

from ..common.pages.markup import tag
from ..common.pages.tables import AssetTable, CountColumn, LinkColumn, WhenColumn
from .queries import owned_counts_of, user_counts_of


class OrganizationTable(AssetTable):
    name_columns = ("id", "name")
    hidden_columns = ("creation_date",)

    id = LinkColumn("organization", verbose_name=_("ID"), attrs={"td": {"class": "name"}})
    name = tables.Column(verbose_name=_("Name"))
    users = CountColumn(user_counts_of, verbose_name=_("Users"))
    datasets = CountColumn(partial(owned_counts_of, "datasets"), verbose_name=_("Datasets"))
    data_samples = CountColumn(partial(owned_counts_of, "data-samples"), verbose_name=_("Samples"))
    functions = CountColumn(partial(owned_counts_of, "functions"), verbose_name=_("Functions"))
    compute_plans = CountColumn(partial(owned_counts_of, "compute-plans"), verbose_name=_("Plans"))
    creation_date = WhenColumn(verbose_name=_("Joined"))

    class Meta(AssetTable.Meta):
        exclude = ("key", "owner")
        sequence = ("id", "name", "...", "creation_date")
        order_by = "id"


class ActiveColumn(tables.Column):
    """Shows whether the user can sign in."""

    def render(self, value: bool) -> SafeString:
        return tag(gettext("active"), "good") if value else tag(gettext("deactivated"), "warn")

    def value(self, value: bool) -> str:
        return "active" if value else "deactivated"


class UserTable(AssetTable):
    name_columns = ("username", "organization_id")

    username = LinkColumn("user", verbose_name=_("User"), attrs={"td": {"class": "name"}})
    organization = tables.Column(accessor="organization_id", verbose_name=_("Organisation"))
    role = tables.Column(verbose_name=_("Role"))
    is_active = ActiveColumn(verbose_name=_("Sign-in"))
    last_login = WhenColumn(verbose_name=_("Last signed in"))
    date_joined = WhenColumn(verbose_name=_("Added"))

    def render_role(self, record: Any) -> str:
        return gettext("superuser") if record.is_superuser else record.role_name

    def value_role(self, record: Any) -> str:
        return "superuser" if record.is_superuser else record.role

    class Meta(AssetTable.Meta):
        exclude = ("key", "owner", "creation_date")
        order_by = "username"
