"""Functions in requests and responses. Contract 2.5."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rest_framework import serializers
from rest_framework.fields import empty

from ..common.api.serializers import (
    FileSerializer,
    MetadataSerializerField,
    OptionalJSONField,
    StepSerializer,
    TextSerializerField,
    WireSerializer,
    file_part,
)
from ..common.errors import refuse_if
from ..common.kinds import INPUT_KINDS, OUTPUT_KINDS
from ..common.parsing import Reader
from ..permissions.serializers import (
    PermissionsSerializer,
    PermissionsSpecSerializer,
    given,
    process_and_download,
)
from .models import FunctionStatus
from .queries import function_rows
from .rules import FUNCTION
from .specs import FunctionSpec, read_inputs, read_outputs


class FunctionInputSerializer(serializers.Serializer):
    """Documents one input of a function."""

    kind = serializers.ChoiceField(choices=[kind.value for kind in INPUT_KINDS])
    optional = serializers.BooleanField()
    multiple = serializers.BooleanField()


class FunctionOutputSerializer(serializers.Serializer):
    """Documents one output of a function."""

    kind = serializers.ChoiceField(choices=[kind.value for kind in OUTPUT_KINDS])
    multiple = serializers.BooleanField()


class FunctionProfilingSerializer(serializers.Serializer):
    """Documents how long the steps of a function's build took."""

    function_key = serializers.UUIDField()
    execution_rundown = StepSerializer(many=True)
    duration = serializers.IntegerField(
        allow_null=True, help_text="microseconds; null until all steps are reported"
    )


class FunctionSerializer(WireSerializer):
    """A function of a response."""

    key = serializers.UUIDField()
    name = serializers.CharField()
    owner = serializers.CharField()
    creation_date = serializers.DateTimeField()
    metadata = serializers.DictField(child=serializers.CharField())
    permissions = PermissionsSerializer()
    description = FileSerializer()
    archive = FileSerializer()
    function = FileSerializer(help_text="The same as `archive`, for SDKs up to 0.49.")
    inputs = serializers.DictField(child=FunctionInputSerializer())
    outputs = serializers.DictField(child=FunctionOutputSerializer())
    status = serializers.ChoiceField(choices=FunctionStatus.values)

    rows = function_rows

    def objects(self, rows: Sequence[tuple[Any, ...]]) -> list[dict[str, Any]]:
        base_url = f"{self.base_url}/function"
        objects = []
        for row in rows:
            key, name, owner, created, metadata, status, description, archive, *rest = row
            public, authorized_ids, inputs, outputs = rest
            file = {"checksum": archive, "storage_address": f"{base_url}/{key}/file/"}
            objects.append(
                {
                    "key": key,
                    "name": name,
                    "owner": owner,
                    "creation_date": created,
                    "metadata": metadata,
                    "permissions": process_and_download(public, authorized_ids),
                    "description": {
                        "checksum": description,
                        "storage_address": f"{base_url}/{key}/description/",
                    },
                    "archive": file,
                    "function": file,
                    "inputs": inputs,
                    "outputs": outputs,
                    "status": status,
                }
            )
        return objects


class SlotsField(OptionalJSONField):
    """Inputs or outputs: `{identifier: {...}}`, or a list of objects with an identifier."""

    def __init__(self, read: Callable[[Reader, Mapping[str, Any], str], list], **kwargs) -> None:
        self.read = read
        super().__init__(**kwargs)

    def run_validation(self, data: Any = empty) -> Any:
        return super().run_validation(data) or ()

    def to_internal_value(self, data: Any) -> list:
        reader, name = Reader(FUNCTION), str(self.field_name)
        found = self.read(reader, {name: super().to_internal_value(data)}, name)
        refuse_if(reader.problems)
        return found


class FunctionSpecSerializer(serializers.Serializer):
    """Reads a FunctionSpec: types only, `registration` has the rules."""

    name = TextSerializerField()
    metadata = MetadataSerializerField()
    permissions = PermissionsSpecSerializer()
    inputs = SlotsField(read_inputs, help_text='{"identifier": {"kind", "optional", "multiple"}}')
    outputs = SlotsField(read_outputs, help_text='{"identifier": {"kind", "multiple"}}')
    file = file_part("A zip or tar archive with a Dockerfile at its root.")
    description = file_part("A Markdown file.")

    def to_internal_value(self, data: Any) -> FunctionSpec:
        values = super().to_internal_value(data)
        return FunctionSpec(**values | {"permissions": given(values.get("permissions"))})
