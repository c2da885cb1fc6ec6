"""Base classes of the pages that show and rename one asset."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy as _

from ...accounts.pages.base import ObjectPageMixin
from ...common.db.compiled import Instances
from ...common.errors import Problem
from ...common.pages.base import AssetKindMixin, Crumb, Page, crumb, get_or_404
from ...common.pages.snippets import Snippets
from ...permissions.access import check_may_change, may_change, may_register
from ...permissions.models import Permissions
from ...permissions.pages import FormPage
from ...permissions.queries import access_matrix
from ..forms import RenameForm
from ..queries import RECENT, events_of, without_ends_of_cancelled
from ..registration import OWNER_RENAMES

# How many columns the table of permissions has.
USES = 10


class AssetPageMixin(AssetKindMixin, ObjectPageMixin):
    """Loads the asset whose key is in the URL."""

    def load_object(self) -> None:
        self.object = get_or_404(_by_key(type(self)), self.kwargs["key"], self.noun)

    def crumbs(self) -> Sequence[Crumb]:
        return [self.list_crumb(), self.asset_crumb()]

    def asset_crumb(self) -> Crumb:
        return crumb(str(self.object), self.detail_url, self.object.pk)


@cache
def _by_key(page: type[AssetPageMixin]) -> Instances:
    """Return the statement of the row that a page shows."""
    return Instances(lambda keys: page.queryset.filter(pk__only=keys))


class AssetPage(AssetPageMixin, Page):
    """Shows an asset with its permissions and events."""

    def get_title(self) -> str:
        return str(self.object)

    def crumbs(self) -> Sequence[Crumb]:
        return [self.list_crumb()]

    def uses(self) -> list[tuple[str, Permissions]]:
        """Return the uses of the asset's files and results, each with its permissions."""
        return []

    def snippets(self) -> Snippets:
        """Return the code that registers the same asset, for other clients."""
        return []

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asset, user = self.object, self.user
        all_uses = self.uses()
        uses = all_uses[:USES]
        events = events_of(asset, user)
        return super().get_context_data(
            asset=asset,
            may_change=may_change(user, asset),
            may_register=may_register(user),
            uses=[name for name, _ in uses],
            more_uses=len(all_uses) - len(uses),
            access=access_matrix(asset.owner_id, uses) if uses else [],
            events=without_ends_of_cancelled(events[:RECENT]),
            more_events=len(events) > RECENT,
            snippets=self.snippets() if "code" in self.request.GET else [],
            **kwargs,
        )


class RenamePage(AssetPageMixin, FormPage):
    """Renames an asset; nothing else can change."""

    form_class = RenameForm
    title = _("Rename %(name)s")
    button = _("Rename")

    def asset(self) -> Any:
        return self.object

    def why_not(self) -> list[Problem]:
        refusal = OWNER_RENAMES[self.object.asset_kind]
        return list(check_may_change(self.user, self.object, refusal))

    def success(self, result: Any) -> tuple[str, str]:
        message = gettext("Renamed to %(name)s.") % {"name": result}
        return message, reverse(self.detail_url, args=[result.pk])
