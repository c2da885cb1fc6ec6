"""Event."""

from django.conf import settings
from django.db import models

from ..common.kinds import AssetKind
from ..organizations.models import Organization


class Event(models.Model):
    """One thing that happened to one asset. Events are only ever added."""

    class Action(models.TextChoices):
        REGISTERED = "registered"
        RENAMED = "renamed"
        LINKED = "linked"
        STARTED = "started"
        ENDED = "ended"
        CANCELED = "canceled", "cancelled"

    timestamp = models.DateTimeField()
    action = models.CharField(max_length=20, choices=Action)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,
    )
    # The name outlives the user's account.
    actor_name = models.CharField(max_length=150)
    asset_kind = models.CharField(max_length=30, choices=AssetKind)
    asset_key = models.UUIDField()
    asset_name = models.CharField(max_length=100, blank=True)
    detail = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-timestamp", "-id"]
        indexes = [
            models.Index(fields=["timestamp", "id"], name="event_timestamp"),
            models.Index(fields=["asset_key", "timestamp"], name="event_asset"),
        ]

    def __str__(self) -> str:
        kind = self.get_asset_kind_display()
        return f"{self.actor_name} {self.get_action_display()} {kind} {self.asset_name}".strip()
