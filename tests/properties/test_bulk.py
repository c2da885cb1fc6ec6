"""`bulk.insert` stores what Django's `bulk_create` stores, for every type of column there is."""

import datetime
import json
import uuid
from collections.abc import Iterable

import pytest
from django.apps import apps
from django.db import IntegrityError, models, transaction
from hypothesis import given, strategies as st

from assets.accounts.models import Organization
from assets.common.db import bulk
from assets.common.db.fields import NameKeyField
from assets.compute.models import ComputePlan, Performance, TaskOutput
from assets.datasets.models import DataSampleLink, Dataset
from assets.feed.models import Event
from assets.functions.models import FunctionInput
from assets.immutable import CHANGEABLE
from assets.permissions.models import Permissions, digest_of
from assets.permissions.registration import intern_permissions
from assets.permissions.specs import PermissionsSpec
from tests.files.stored import inserted_payloads

from .helpers import AWKWARD, examples, printable, rolled_back

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

# Between them they have every type of column; a test says so.
MODELS = (
    ComputePlan,
    DataSampleLink,
    Dataset,
    Event,
    FunctionInput,
    Performance,
    Permissions,
    Permissions.organizations.through,
    TaskOutput,
)

times = st.datetimes(
    datetime.datetime(1970, 1, 1),
    datetime.datetime(2200, 1, 1),
    timezones=st.sampled_from(
        (datetime.UTC, datetime.timezone(datetime.timedelta(hours=-9, minutes=-30)))
    ),
)
texts = st.one_of(st.sampled_from(AWKWARD), printable, st.just("line\nbreak\ttab"))
leaves = st.one_of(texts, st.integers(-(2**53), 2**53), st.booleans(), st.none())
objects = st.dictionaries(
    texts,
    st.one_of(leaves, st.lists(leaves, max_size=2), st.dictionaries(texts, leaves, max_size=2)),
    max_size=3,
)
STRATEGIES = {
    models.BigAutoField: st.integers(1, 2**62),
    models.BigIntegerField: st.integers(-(2**63), 2**63 - 1),
    models.BooleanField: st.booleans(),
    models.CharField: texts,
    models.DateTimeField: times,
    models.FileField: texts.filter(bool),
    models.GenericIPAddressField: st.ip_addresses(v=4).map(str),
    models.FloatField: st.floats(allow_nan=False, allow_infinity=False),
    models.JSONField: st.one_of(objects, st.lists(leaves, max_size=3)),
    models.PositiveIntegerField: st.integers(0, 2**31 - 1),
    models.TextField: texts,
    models.UUIDField: st.uuids(),
}


def base_type(field: models.Field) -> type[models.Field]:
    """The type in `STRATEGIES` that the field is, or that the key it refers to is."""
    target = getattr(field, "target_field", field)
    return next(type_ for type_ in type(target).__mro__ if type_ in STRATEGIES)


def column(field: models.Field) -> st.SearchStrategy:
    if field.choices:
        return st.sampled_from([value for value, _ in field.flatchoices])
    strategy = STRATEGIES[base_type(field)]
    if base_type(field) is models.CharField:
        length = getattr(field, "target_field", field).max_length
        # Not blank: some columns must not be.
        strategy = strategy.map(lambda text: (text or "x")[:length])
    return st.one_of(st.none(), strategy) if field.null else strategy


def written_fields(model: type[models.Model]) -> list[models.Field]:
    return [
        field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)
    ]


def derived(model: type[models.Model], row: dict) -> dict:
    """The row with what saving it would work out."""
    keys = [field for field in written_fields(model) if isinstance(field, NameKeyField)]
    return {**row, **{field.attname: field.derive(row[field.of]) for field in keys}}


def rows_of(model: type[models.Model]) -> st.SearchStrategy[list[dict]]:
    columns = {field.attname: column(field) for field in written_fields(model)}
    if model is FunctionInput:  # its check constraint
        columns["multiple"] = columns["optional"] = st.just(False)
    unique = [field.attname for field in written_fields(model) if field.unique or field.is_relation]
    return st.lists(
        st.fixed_dictionaries(columns).map(lambda row: derived(model, row)),
        min_size=1,
        max_size=3,
        unique_by=tuple((lambda row, name=name: row[name]) for name in unique),
    )


def stored(model: type[models.Model]) -> list[dict]:
    names = [field.attname for field in written_fields(model)]
    return ordered(model._default_manager.values(*names))


def ordered(rows: Iterable[dict]) -> list[dict]:
    """The rows in an order that does not depend on the time zone of their dates."""
    return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True, default=_in_utc))


def _in_utc(value: object) -> str:
    return str(value.astimezone(datetime.UTC) if isinstance(value, datetime.datetime) else value)


def test_no_type_of_column_is_left_out():
    used = {
        base_type(field)
        for model in map(apps.get_app_config("assets").get_model, CHANGEABLE)
        for field in model._meta.concrete_fields
    }
    tried = {base_type(field) for model in MODELS for field in written_fields(model)}
    assert used <= tried


@pytest.mark.usefixtures("no_cast")
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@examples(15)
@given(data=st.data())
def test_as_bulk_create(model, data):
    rows = data.draw(rows_of(model))
    with rolled_back():
        bulk.insert(model, rows)
        found = stored(model)
    with rolled_back():
        model._default_manager.bulk_create(model(**row) for row in rows)
        assert found == stored(model)
    assert found == ordered(rows)


@pytest.mark.usefixtures("no_cast")
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@examples(10)
@given(data=st.data())
def test_what_is_the_same_in_all_rows(model, data):
    """Sent once, it is stored as if each row had it."""
    rows = data.draw(rows_of(model))
    of_each = {field.attname for field in written_fields(model) if field.unique}
    of_each |= {field.attname for field in written_fields(model) if field.is_relation}
    names = st.sets(st.sampled_from(sorted({*rows[0]} - of_each)))
    same = {name: rows[0][name] for name in data.draw(names)} if {*rows[0]} - of_each else {}
    with rolled_back():
        bulk.insert(
            model,
            [{name: row[name] for name in row if name not in same} for row in rows],
            same=same,
        )
        assert stored(model) == ordered({**row, **same} for row in rows)


NOW = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
ORGANIZATION = {"name": "", "creation_date": NOW}
EVENT = {
    "timestamp": NOW,
    "action": Event.Action.LINKED,
    "organization_id": "MyOrg1MSP",
    "actor_name": "alice",
    "asset_kind": "ASSET_DATA_SAMPLE",
    "asset_key": uuid.UUID(int=1),
    "asset_name": "",
    "detail": {},
}


def test_conflicts_are_refused_or_left_out():
    row = {"public": True, "authorized_ids": [], "digest": "0" * 64}
    other = {**row, "digest": "1" * 64}
    bulk.insert(Permissions, [row])
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.insert(Permissions, [other, row])
    assert Permissions.objects.count() == 1
    bulk.insert(Permissions, [row, other, row], ignore_conflicts=True)
    assert Permissions.objects.count() == 2


def test_keys_are_inserted_in_order(org_a):
    """Or else two batches with the same keys could wait for each other, for ever."""
    keys = [uuid.uuid4() for _ in range(30)]
    with inserted_payloads() as payloads:
        bulk.insert(Event, [{**EVENT, "id": number} for number in range(1030, 1000, -1)])
        bulk.insert(Organization, [{**ORGANIZATION, "id": str(key)} for key in keys])
        values = [PermissionsSpec(True, (str(key),)) for key in keys]
        intern_permissions(values)
    events, organizations, permissions = payloads[:3]
    assert [row["id"] for row in events] == sorted(range(1001, 1031))
    assert [row["id"] for row in organizations] == sorted(map(str, keys))
    assert [row["digest"] for row in permissions] == sorted(map(digest_of, values))


@pytest.mark.parametrize("count", [0, 1, 3000])
def test_any_number_of_rows_is_one_statement(django_assert_num_queries, count):
    rows = [{"public": False, "authorized_ids": [], "digest": f"{n:064}"} for n in range(count)]
    with django_assert_num_queries(min(count, 1)):
        bulk.insert(Permissions, rows)
    assert Permissions.objects.count() == count
