"""Kinds of assets, as the API names them."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class AssetKind(models.TextChoices):
    """Kinds of assets; the values are those of the API."""

    ORGANIZATION = "ASSET_ORGANIZATION", _("organisation")
    DATA_SAMPLE = "ASSET_DATA_SAMPLE", _("data sample")
    DATA_MANAGER = "ASSET_DATA_MANAGER", _("dataset")
    FUNCTION = "ASSET_FUNCTION", _("function")
    COMPUTE_TASK = "ASSET_COMPUTE_TASK", _("task")
    COMPUTE_PLAN = "ASSET_COMPUTE_PLAN", _("compute plan")
    MODEL = "ASSET_MODEL", _("model")
    PERFORMANCE = "ASSET_PERFORMANCE", _("performance")
    FAILURE_REPORT = "ASSET_FAILURE_REPORT", _("failure report")

    @property
    def word(self) -> str:
        """The name in error texts of the API, such as ``datamanager``."""
        return self.value.removeprefix("ASSET_").replace("_", "").lower()


INPUT_KINDS = (AssetKind.MODEL, AssetKind.DATA_SAMPLE, AssetKind.DATA_MANAGER)
OUTPUT_KINDS = (AssetKind.MODEL, AssetKind.PERFORMANCE)
