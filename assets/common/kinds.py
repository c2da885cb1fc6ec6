"""Kinds of assets, as the API names them."""

from django.db import models


class AssetKind(models.TextChoices):
    """Kinds of assets; the values are those of the API."""

    ORGANIZATION = "ASSET_ORGANIZATION", "organization"
    DATA_SAMPLE = "ASSET_DATA_SAMPLE", "data sample"
    DATA_MANAGER = "ASSET_DATA_MANAGER", "dataset"
    FUNCTION = "ASSET_FUNCTION", "function"
    COMPUTE_TASK = "ASSET_COMPUTE_TASK", "task"
    COMPUTE_PLAN = "ASSET_COMPUTE_PLAN", "compute plan"
    MODEL = "ASSET_MODEL", "model"
    PERFORMANCE = "ASSET_PERFORMANCE", "performance"
    FAILURE_REPORT = "ASSET_FAILURE_REPORT", "failure report"

    @property
    def word(self) -> str:
        """The name in error texts of the API, such as ``datamanager``."""
        return self.value.removeprefix("ASSET_").replace("_", "").lower()


INPUT_KINDS = (AssetKind.MODEL, AssetKind.DATA_SAMPLE, AssetKind.DATA_MANAGER)
OUTPUT_KINDS = (AssetKind.MODEL, AssetKind.PERFORMANCE)
