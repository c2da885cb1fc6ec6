"""What the machines check: migrations, import contracts, and that responses are as documented."""

from types import SimpleNamespace

import orjson
import pytest
from django.core.management import call_command
from importlinter.cli import lint_imports
from rest_framework.test import APIRequestFactory

import assets.api  # noqa: F401  every room's serializers
from assets.common.api.renderers import ORJSONRenderer
from assets.common.api.serializers import WireSerializer
from assets.compute.api.profiling import TaskProfilingSerializer
from assets.compute.api.serializers import ComputePlanSerializer, ModelSerializer, TaskSerializer
from assets.datasets.serializers import DataSampleSerializer, DatasetSerializer
from assets.feed.serializers import NewsSerializer
from assets.functions.serializers import FunctionSerializer
from tests.files.everything import make_everything

from .source import ROOT


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", check=True, dry_run=True, verbosity=3)


def test_rooms_import_only_what_they_may(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    failed = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True, no_logo=True)
    assert not failed, capsys.readouterr().out


# Each serializer of a response, with the row that it represents.
WIRES = {
    ComputePlanSerializer: "ComputePlan",
    DataSampleSerializer: "DataSample",
    DatasetSerializer: "Dataset",
    FunctionSerializer: "Function",
    ModelSerializer: "Model",
    NewsSerializer: "Event",
    TaskProfilingSerializer: "Task",
    TaskSerializer: "Task",
}


def all_subclasses(class_: type) -> set[type]:
    return {class_}.union(*map(all_subclasses, class_.__subclasses__())) - {WireSerializer}


def test_every_wire_serializer_is_tried():
    assert set(WIRES) == all_subclasses(WireSerializer)


def assert_as_declared(serializer, found):
    """The keys are those declared; so are those of what is nested."""
    assert set(found) == set(serializer.fields)
    for name, field in serializer.fields.items():
        nested = getattr(field, "child", field)
        if not hasattr(nested, "fields") or found[name] is None:
            continue
        inner = found[name]
        if nested is not field:
            items = list(inner.values()) if isinstance(inner, dict) else inner
        else:
            items = [inner]
        for item in items:
            assert_as_declared(nested, item)


@pytest.mark.django_db
@pytest.mark.parametrize("namespace", ["api", "api-0.49", "api-0.50"])
@pytest.mark.parametrize(
    ("serializer", "model"), WIRES.items(), ids=[each.__name__ for each in WIRES]
)
def test_responses_have_the_declared_keys(alice, serializer, model, namespace):
    request = APIRequestFactory().get("/api/")
    request.user, request.resolver_match = alice, SimpleNamespace(namespace=namespace)
    row = make_everything(alice)[model]
    asked = row if model == "Event" else row.pk
    [found] = serializer(context={"request": request}).represent([asked])
    # Parts of a response are written already.
    assert_as_declared(serializer(), orjson.loads(ORJSONRenderer().render(found)))
