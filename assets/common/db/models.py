"""What every registered asset has."""

import uuid
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from . import lookups  # noqa: F401  registers the lookups that every query below may use
from .fields import FoldedField, MetadataField, OrderField


def owner_field(**options: Any) -> models.ForeignKey:
    """A foreign key to the organisation that owns a row."""
    return models.ForeignKey(
        "assets.Organization",
        verbose_name=_("owner"),
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
        **options,
    )


class Asset(models.Model):
    """A registered asset: a key that the client or we chose, an owner, a date.

    Registered assets are immutable but for what an Update spec names; rows are written by
    `registration` only.
    """

    key = models.UUIDField(_("key"), primary_key=True, default=uuid.uuid4, editable=False)
    owner = owner_field()
    creation_date = models.DateTimeField(_("creation date"), default=timezone.now, editable=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.key)


def listing_index(model: str, column: str) -> models.Index:
    """Index a model's rows by a column, and those that tie as lists have them.

    It serves the order by the column and what the column filters, in the usual order of lists.
    """
    return models.Index(fields=[column, "creation_date", "key"], name=f"{model}_by_{column}")


class DescribedAsset(Asset):
    """An asset with metadata."""

    metadata = MetadataField(_("metadata"))

    class Meta(Asset.Meta):
        abstract = True


class NamedAsset(DescribedAsset):
    """An asset with a name, which is all that can change about it."""

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
