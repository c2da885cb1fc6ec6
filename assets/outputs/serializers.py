"""Models, performances and task assets on the wire. Contract 2.7 to 2.9."""

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from ..common.api import WireSerializer
from ..common.serializers import FileSerializer
from ..permissions.serializers import (
    PermissionsSerializer,
    permission_wires,
    process_and_download,
)
from .models import Model


class ModelSerializer(WireSerializer):
    """A model of a response; without an address once it is disabled."""

    key = serializers.UUIDField()
    compute_task_key = serializers.UUIDField()
    owner = serializers.CharField()
    creation_date = serializers.DateTimeField()
    permissions = PermissionsSerializer()
    address = FileSerializer(allow_null=True)

    def represent(self, rows: Sequence[Model]) -> list[dict[str, Any]]:
        permissions = permission_wires(row.permissions_id for row in rows)
        return [
            {
                "key": row.key,
                "compute_task_key": row.task_id,
                "owner": row.owner_id,
                "creation_date": row.creation_date,
                "permissions": process_and_download(permissions[row.permissions_id]),
                "address": self._address(row),
            }
            for row in rows
        ]

    def _address(self, row: Model) -> dict[str, str] | None:
        if not row.file:
            return None
        return {
            "checksum": row.file_checksum,
            "storage_address": f"{self.base_url}/model/{row.key}/file/",
        }


class TaskAssetSerializer(serializers.Serializer):
    """Documents an asset that a task takes or has made."""

    identifier = serializers.CharField()
    kind = serializers.CharField()
    asset = serializers.JSONField()


class PerformanceRowSerializer(serializers.Serializer):
    """Documents one performance of the list over all plans."""

    compute_plan_key = serializers.UUIDField()
    compute_plan_name = serializers.CharField()
    compute_plan_tag = serializers.CharField()
    compute_plan_status = serializers.CharField()
    compute_plan_start_date = serializers.DateTimeField(allow_null=True)
    compute_plan_end_date = serializers.DateTimeField(allow_null=True)
    compute_plan_metadata = serializers.DictField(child=serializers.CharField())
    worker = serializers.CharField()
    task_rank = serializers.IntegerField()
    task_round = serializers.CharField(allow_null=True)
    identifier = serializers.CharField()
    performance = serializers.FloatField()
