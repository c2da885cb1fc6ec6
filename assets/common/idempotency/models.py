"""IdempotencyKey."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone


class IdempotencyKey(models.Model):
    """The outcome of a user's request with this key; see `keys`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    # Digests of the key, and of the content of the request.
    key = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)
    # The action, and what it was done to: keys of assets, or names where there are none.
    action = models.CharField(max_length=30)
    kind = models.CharField(max_length=30)
    subjects = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="idempotency_key_once")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_key_created")]

    def __str__(self) -> str:
        return f"{self.action} {self.kind}"
