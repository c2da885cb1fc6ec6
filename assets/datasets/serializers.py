"""Datasets and data samples in requests and responses. Contract 2.3, 2.4."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.fields import empty

from ..common.api.serializers import (
    FileSerializer,
    MetadataSerializerField,
    TextSerializerField,
    WireSerializer,
    file_part,
)
from ..common.errors import refuse_if
from ..common.parsing import Reader
from ..permissions.serializers import (
    PermissionSerializer,
    PermissionsSerializer,
    PermissionsSpecSerializer,
    given,
    permission_wire,
    process_and_download,
)
from .models import DataSample, Dataset
from .queries import dataset_rows, dataset_rows_without_samples, sample_rows
from .rules import DATA_SAMPLE
from .specs import DataSampleSpec, DatasetSpec


class DatasetSerializer(WireSerializer):
    """A dataset of a response."""

    key = serializers.UUIDField()
    name = serializers.CharField()
    owner = serializers.CharField()
    creation_date = serializers.DateTimeField()
    metadata = serializers.DictField(child=serializers.CharField())
    type = serializers.CharField()
    permissions = PermissionsSerializer()
    logs_permission = PermissionSerializer()
    opener = FileSerializer()
    description = FileSerializer()
    data_sample_keys = serializers.ListField(child=serializers.UUIDField())

    rows = dataset_rows

    def without_samples(self, keys: Collection[str]) -> list[dict[str, Any]]:
        """Return datasets as the inputs of tasks have them: without their samples."""
        return self.objects(dataset_rows_without_samples(keys))

    def objects(self, rows: Sequence[tuple[Any, ...]]) -> list[dict[str, Any]]:
        base_url = f"{self.base_url}/data_manager"
        objects = []
        for key, name, owner, created, metadata, kind, opener, description, *rest in rows:
            public, ids, logs_public, logs_ids, *samples = rest
            objects.append(
                {
                    "key": key,
                    "name": name,
                    "owner": owner,
                    "creation_date": created,
                    "metadata": metadata,
                    "type": kind,
                    "permissions": process_and_download(public, ids),
                    "logs_permission": permission_wire(logs_public, logs_ids),
                    "opener": {"checksum": opener, "storage_address": f"{base_url}/{key}/opener/"},
                    "description": {
                        "checksum": description,
                        "storage_address": f"{base_url}/{key}/description/",
                    },
                    **({"data_sample_keys": samples[0]} if samples else {}),
                }
            )
        return objects


class DatasetSpecSerializer(serializers.Serializer):
    """Reads a DatasetSpec: types only, `registration` has the rules."""

    name = TextSerializerField()
    type = TextSerializerField(required=False, help_text='Such as "images".')
    metadata = MetadataSerializerField()
    permissions = PermissionsSpecSerializer()
    logs_permission = PermissionsSpecSerializer()
    data_opener = file_part("A Python file that reads the data.")
    description = file_part("A Markdown file.")

    def to_internal_value(self, data: Any) -> DatasetSpec:
        values = super().to_internal_value(data)
        names = ("permissions", "logs_permission")
        return DatasetSpec(**values | {name: given(values.get(name)) for name in names})


class DataSampleSerializer(WireSerializer):
    """A data sample of a response, which never shows its content or path."""

    key = serializers.UUIDField()
    owner = serializers.CharField()
    creation_date = serializers.DateTimeField()
    data_manager_keys = serializers.ListField(child=serializers.UUIDField())

    rows = sample_rows

    def objects(self, rows: Sequence[tuple[Any, ...]]) -> list[dict[str, Any]]:
        names = ("key", "owner", "creation_date", "data_manager_keys")
        return [dict(zip(names, row, strict=True)) for row in rows]


class KeysField(serializers.ListField):
    """A list of keys, in any spelling of a UUID; absent and null are empty.

    The browsable form shows it as a select box of the newest assets of the user's organisation.
    """

    child = serializers.UUIDField()
    choices_shown = 1000

    def __init__(self, queryset: QuerySet, **kwargs: Any) -> None:
        self.queryset = queryset
        kwargs.setdefault("style", {"base_template": "select_multiple.html"})
        super().__init__(**{"default": (), "allow_null": True, **kwargs})

    def iter_options(self) -> Iterator[Any]:
        owner = self.context["request"].user.organization_id
        newest = self.queryset.filter(owner_id=owner).order_by("-creation_date", "pk")
        choices = {row.pk: str(row) for row in newest[: self.choices_shown]}
        return serializers.ChoiceField(choices=choices).iter_options()

    def run_validation(self, data: Any = empty) -> Sequence[UUID]:
        return super().run_validation(data) or ()

    def to_internal_value(self, data: Any) -> Sequence[UUID]:
        reader, name = Reader(DATA_SAMPLE), str(self.field_name)
        keys = reader.keys({name: data}, name)
        refuse_if(reader.problems)
        return keys


class DataSampleSpecSerializer(serializers.Serializer):
    """Reads a DataSampleSpec without its archives, the files of the body."""

    data_manager_keys = KeysField(Dataset.objects.all())
    file = file_part("A zip or tar archive. Every other file of the body is one more sample.")
    path = serializers.CharField(
        required=False,
        allow_null=True,
        allow_blank=True,
        help_text="A folder on the server, instead of a file.",
    )
    paths = serializers.ListField(child=serializers.CharField(), required=False, allow_null=True)
    runner_paths = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        allow_null=True,
        help_text="Folders that stay at your organisation's runners, instead of files: paths "
        "relative to the runners' data root, each a sample.",
    )
    multiple = serializers.BooleanField(
        default=False,
        help_text="Each subfolder of the paths is a sample; hidden ones are left out, and named in "
        "the answer's header X-Left-Out.",
    )

    def to_internal_value(self, data: Any) -> DataSampleSpec:
        values = super().to_internal_value(data)
        paths = [*(values.get("paths") or ()), *filter(None, [values.get("path")])]
        return DataSampleSpec(
            data_manager_keys=values["data_manager_keys"],
            paths=[Path(path) for path in paths],
            multiple=values["multiple"],
            runner_paths=[PurePosixPath(path) for path in values.get("runner_paths") or ()],
        )


class LookSerializer(serializers.Serializer):
    """What a runner found at the folder of a data sample, or blank before it has looked."""

    checked_at = serializers.DateTimeField(allow_null=True)
    checksum = serializers.CharField(help_text="The sha256 of its files' names and contents.")
    size = serializers.IntegerField()
    problem = serializers.CharField()


class LinkSerializer(serializers.Serializer):
    """Reads a request to add data samples to datasets, as a form or as JSON."""

    data_manager_keys = KeysField(Dataset.objects.all())
    data_sample_keys = KeysField(DataSample.objects.all())
