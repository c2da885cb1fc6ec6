"""The news feed of the API. Contract 2.11."""

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from ..common.api.serializers import WireSerializer
from .models import Event

_STATUS: dict[str, str] = {
    Event.Action.REGISTERED: "STATUS_CREATED",
    Event.Action.STARTED: "STATUS_DOING",
}


class NewsSerializer(WireSerializer):
    """News about a plan or a dataset."""

    asset_kind = serializers.CharField()
    asset_key = serializers.UUIDField()
    name = serializers.CharField()
    status = serializers.CharField()
    timestamp = serializers.DateTimeField()
    detail = serializers.DictField()

    def represent(self, rows: Sequence[Event]) -> list[dict[str, Any]]:
        """Return the events as JSON objects; they have no keys."""
        return [
            {
                "asset_kind": event.asset_kind,
                "asset_key": event.asset_key,
                "name": event.asset_name,
                "status": _STATUS.get(event.action) or event.detail.get("status", ""),
                "timestamp": event.timestamp,
                "detail": {k: v for k, v in event.detail.items() if k == "first_failed_task_key"},
            }
            for event in rows
        ]
