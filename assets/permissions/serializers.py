"""Permissions of requests and responses. Contract 2.0."""

from typing import Any, TypedDict

import orjson
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ..accounts.models import Organization
from .specs import PermissionsSpec


class PermissionWire(TypedDict):
    public: bool
    authorized_ids: orjson.Fragment


def permission_wire(public: bool, authorized_ids: orjson.Fragment) -> PermissionWire:
    """Return a permission of a response from the values of `permission_columns`."""
    return {"public": public, "authorized_ids": authorized_ids}


def process_and_download(
    public: bool, authorized_ids: orjson.Fragment
) -> dict[str, PermissionWire]:
    """Return the pair of permissions of an asset; processing includes downloading."""
    permission = permission_wire(public, authorized_ids)
    return {"process": permission, "download": permission}


class PermissionSerializer(serializers.Serializer):
    """Documents one permission of a response."""

    public = serializers.BooleanField()
    authorized_ids = serializers.ListField(child=serializers.CharField())


class PermissionsSerializer(serializers.Serializer):
    """Documents the pair of permissions of a response."""

    process = PermissionSerializer()
    download = PermissionSerializer()


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class OrganizationIdsField(serializers.MultipleChoiceField):
    """A list of organisation ids; rules check that they exist.

    The browsable API shows it as a select box of all organisations.
    """

    default_error_messages = {"not_texts": "Must be a list of organisation ids."}

    def __init__(self, **kwargs) -> None:
        kwargs.setdefault("style", {"base_template": "select_multiple.html"})
        super().__init__(choices=[], **kwargs)

    def iter_options(self):
        names = {organization.pk: str(organization) for organization in Organization.objects.all()}
        return serializers.ChoiceField(choices=names).iter_options()

    def to_internal_value(self, data: Any) -> tuple[str, ...]:
        if not isinstance(data, list | tuple) or not all(isinstance(item, str) for item in data):
            self.fail("not_texts")
        return tuple(data)

    def to_representation(self, value: Any) -> list[str]:
        return list(value)


class PermissionsSpecSerializer(serializers.Serializer):
    """Reads a permission of a request; if absent or null, only the owner is permitted."""

    public = serializers.BooleanField(default=False)
    authorized_ids = OrganizationIdsField(default=())

    def __init__(self, **kwargs) -> None:
        super().__init__(**{"required": False, "allow_null": True, **kwargs})

    def to_internal_value(self, data: Any) -> PermissionsSpec:
        return PermissionsSpec(**super().to_internal_value(data))


def given(permissions: PermissionsSpec | None) -> PermissionsSpec:
    """Return the permissions, or by default those for the owner only."""
    return permissions or PermissionsSpec()
