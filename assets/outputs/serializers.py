"""Models, performances and task assets on the wire. Contract 2.7 to 2.9."""

from collections.abc import Collection
from typing import Any

from rest_framework import serializers

from ..common.api.serializers import FileSerializer
from ..common.api.viewsets import WireSerializer
from ..permissions.serializers import (
    PermissionsSerializer,
    process_and_download,
)
from .queries import model_rows


class ModelSerializer(WireSerializer):
    """A model of a response; without an address once it is disabled."""

    key = serializers.UUIDField()
    compute_task_key = serializers.UUIDField()
    owner = serializers.CharField()
    creation_date = serializers.DateTimeField()
    permissions = PermissionsSerializer()
    address = FileSerializer(allow_null=True)

    def objects(self, keys: Collection[str]) -> list[dict[str, Any]]:
        base_url = f"{self.base_url}/model"
        return [
            {
                "key": key,
                "compute_task_key": task,
                "owner": owner,
                "creation_date": created,
                "permissions": process_and_download(*permissions),
                "address": {"checksum": checksum, "storage_address": f"{base_url}/{key}/file/"}
                if file
                else None,
            }
            for key, task, owner, created, file, checksum, *permissions in model_rows(keys)
        ]


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
