"""Does a response have exactly the shape that its serializer declares?"""

import re
from typing import Any

from rest_framework import serializers

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


def check_shape(value: Any, field: serializers.Field, where: str = "$") -> None:
    """Raise AssertionError unless the JSON value is just what the field declares."""
    if value is None:
        assert field.allow_null, f"{where} is null"
    elif isinstance(field, serializers.ListSerializer | serializers.ListField):
        assert isinstance(value, list), where
        for index, item in enumerate(value):
            check_shape(item, field.child, f"{where}[{index}]")
    elif isinstance(field, serializers.Serializer):
        _check_object(value, field, where)
    elif isinstance(field, serializers.DictField):
        assert isinstance(value, dict), where
        for name, item in value.items():
            check_shape(item, field.child, f"{where}.{name}")
    else:
        _check_plain(value, field, where)


def _check_object(value: Any, serializer: serializers.Serializer, where: str) -> None:
    assert isinstance(value, dict), where
    assert set(value) == set(serializer.fields), where
    for name, field in serializer.fields.items():
        check_shape(value[name], field, f"{where}.{name}")


def _check_plain(value: Any, field: serializers.Field, where: str) -> None:
    match field:
        case serializers.BooleanField():
            assert isinstance(value, bool), where
        case serializers.IntegerField():
            # A fraction or a true breaks the SDK.
            assert type(value) is int, where
        case serializers.FloatField():
            assert isinstance(value, int | float), where
        case serializers.UUIDField():
            assert UUID.fullmatch(value), where
        case serializers.DateTimeField():
            assert DATE.fullmatch(value), where
        case serializers.ChoiceField():
            assert value in field.choices, where
        case serializers.CharField():
            assert isinstance(value, str), where
        case serializers.JSONField():
            assert isinstance(value, dict), where
        case _:
            raise NotImplementedError(f"{where}: {type(field).__name__}")
