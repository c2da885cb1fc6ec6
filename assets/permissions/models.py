"""Permissions: an immutable value row, one per distinct value."""

import hashlib
import json

from django.db import models
from django.utils.translation import gettext_lazy as _

from ..accounts.models import Organization
from ..common.db.models import Asset
from .specs import PermissionsSpec


def digest_of(value: PermissionsSpec) -> str:
    """Return the sha256 by which equal values find their one row."""
    return hashlib.sha256(json.dumps([value.public, *value.authorized_ids]).encode()).hexdigest()


class Permissions(models.Model):
    """Who may use an asset. Rows are shared by all assets with the same value, and never change."""

    public = models.BooleanField(_("public"))
    # The wire's list in one read; `organizations` says the same to foreign keys and filters.
    authorized_ids = models.JSONField(_("authorised organisations"))
    organizations = models.ManyToManyField(
        Organization, related_name="+", editable=False, verbose_name=_("organisations")
    )
    digest = models.CharField(_("digest"), max_length=64, unique=True, editable=False)

    class Meta:
        verbose_name = verbose_name_plural = _("permissions")

    def __str__(self) -> str:
        return "public" if self.public else f"private: {', '.join(self.authorized_ids)}"

    @property
    def value(self) -> PermissionsSpec:
        return PermissionsSpec(self.public, tuple(self.authorized_ids))

    def allows(self, organization_id: str | None) -> bool:
        return self.value.allows(organization_id)


def permissions_field(**options) -> models.ForeignKey:
    """A foreign key to a Permissions row."""
    return models.ForeignKey(
        Permissions, on_delete=models.PROTECT, related_name="+", editable=False, **options
    )


class PermittedAsset(Asset):
    """An asset that organisations use under permissions."""

    permissions = permissions_field()

    class Meta(Asset.Meta):
        abstract = True
