"""Abstract models of registered assets."""

import uuid
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..kinds import AssetKind
from . import lookups  # noqa: F401  registers the lookups
from .fields import FoldedField, MetadataField, OrderField


def owner_field(**options: Any) -> models.ForeignKey:
    """Return a foreign key to the organisation that owns a row."""
    return models.ForeignKey(
        "assets.Organization",
        verbose_name=_("owner"),
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
        **options,
    )


class Asset(models.Model):
    """A registered asset: its key, which the client may choose, its owner, and its date.

    Only the fields of an Update spec can change; only `registration` writes rows.
    """

    key = models.UUIDField(_("key"), primary_key=True, default=uuid.uuid4, editable=False)
    owner = owner_field()
    creation_date = models.DateTimeField(_("creation date"), default=timezone.now, editable=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.key)


def listing_index(model: str, column: str) -> models.Index:
    """Return an index for lists: by a column, then by date and key, as lists order ties.

    It serves the order by the column, and filters by the column in the default order.
    """
    return models.Index(fields=[column, "creation_date", "key"], name=f"{model}_by_{column}")


class DescribedAsset(Asset):
    """An asset with metadata."""

    metadata = MetadataField(_("metadata"))

    class Meta(Asset.Meta):
        abstract = True


class NamedAsset(DescribedAsset):
    """An asset with a name, the only field that can change."""

    asset_kind: ClassVar[AssetKind]

    name = models.CharField(
        _("name"),
        max_length=100,
        help_text=_("Up to 100 characters. You can change the name later."),
    )
    name_folded = FoldedField()
    name_order = OrderField()

    class Meta(DescribedAsset.Meta):
        abstract = True

    def __str__(self) -> str:
        return self.name
