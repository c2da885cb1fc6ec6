"""What every registered asset has."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from . import lookups  # noqa: F401  registers the lookups that every query below may use
from .fields import FoldedField, MetadataField, OrderField


def owner_field(**options: Any) -> models.ForeignKey:
    """A foreign key to the organisation that owns a row."""
    return models.ForeignKey(
        "assets.Organization",
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

    key = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = owner_field()
    creation_date = models.DateTimeField(default=timezone.now, editable=False)

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

    metadata = MetadataField()

    class Meta(Asset.Meta):
        abstract = True


class NamedAsset(DescribedAsset):
    """An asset with a name, which is all that can change about it."""

    name = models.CharField(
        max_length=100, help_text="1 to 100 bytes. The name can be changed later."
    )
    name_folded = FoldedField()
    name_order = OrderField()

    class Meta(DescribedAsset.Meta):
        abstract = True

    def __str__(self) -> str:
        return self.name


class LooseFiles(models.Model):
    """Files in storage that no row names: not yet, or no more. See `files.storage`.

    Rows come and go: there is one for each registration with files that is under way, and for each
    that was cut off, until it is tidied up.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # A list of names in storage.
    names = models.JSONField()
    # The process that writes them, as `common.writers` knows it.
    writer = models.UUIDField()
    since = models.DateTimeField(default=timezone.now)
    # No row will ever name them: whoever finds this removes them.
    given_up = models.BooleanField(default=False)

    class Meta:
        verbose_name = verbose_name_plural = "loose files"

    def __str__(self) -> str:
        return ", ".join(self.names)


class IdempotencyKey(models.Model):
    """What a user's request with this key has done; see `common.idempotency`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    # Digests: of the key itself, and of all that was asked with it.
    key = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)
    # What was done, and to what: keys of assets, or names where there are none.
    action = models.CharField(max_length=30)
    kind = models.CharField(max_length=30)
    subjects = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="idempotency_key_once"),
        ]
        indexes = [models.Index(fields=["created_at"], name="idempotency_key_created")]

    def __str__(self) -> str:
        return f"{self.action} {self.kind}"
