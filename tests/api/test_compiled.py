"""Compiled queries answer what the same queries answer by themselves."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from uuid import uuid4

import orjson
import pytest
from django.db import connection, transaction
from django.db.models import F, Model, OuterRef

from assets.accounts.models import Organization
from assets.common.db.compiled import Compiled, Instances, Rows, key_text, stored_json
from assets.common.db.nested import JSONRows, JSONText
from assets.compute.models import ComputePlan, Task
from assets.compute.statuses import TaskStatus

pytestmark = pytest.mark.postgresql

COLUMNS = ("key", "rank", "status", "tag", "metadata", "creation_date", "start_date", "function_id")


def compiled() -> Compiled:
    def build(keys):
        return Task.objects.filter(key__any=keys).order_by("key").values_list(*COLUMNS)

    return Compiled(build)


@pytest.fixture
def keys(world) -> list:
    tasks = [world.task(tag="ä'%s", metadata={"a": 'é "%'}), world.task(tag="")]
    return [world.registered(task).key for task in tasks]


@pytest.mark.parametrize("others", [0, 1, 40_000])
def test_as_many_values_as_one_likes(others, keys):
    statement = compiled()
    unknown = [uuid4() for _ in range(others)]
    assert statement(unknown) == []
    assert [row[0] for row in statement([*unknown, *map(str, keys)])] == sorted(keys)


def test_values_have_the_types_of_their_columns(keys):
    found = compiled()(keys)
    assert found == list(Task.objects.order_by("key").values_list(*COLUMNS))
    assert {row[5].utcoffset() for row in found} == {UTC.utcoffset(None)}
    assert [row[6] for row in found] == [None, None]


def test_instances_are_those_of_the_query(keys, django_assert_num_queries):
    def build(found):
        rows = Task.objects.filter(key__any=found).select_related("function__permissions", "owner")
        rows = rows.annotate(above=F("rank") + 1, plan=F("compute_plan__name"))
        return rows.defer("tag").order_by("key")

    statement, wanted = Instances(build), list(build(keys))
    assert statement([]) == []
    assert statement(keys, 1) == wanted[:1]
    with django_assert_num_queries(1):
        found = statement(keys)
        assert [vars_of(task) for task in found] == [vars_of(task) for task in wanted]
        assert not any(task._state.adding for task in found)
    assert [task.tag for task in found] == [task.tag for task in wanted]


def vars_of(instance: Model) -> dict:
    values = {name: value for name, value in vars(instance).items() if name != "_state"}
    related = {name: vars_of(row) for name, row in instance._state.fields_cache.items()}
    return values | related


@pytest.mark.parametrize(("limit", "queries"), [(1, 2), (2, 1), (3, 1)])
def test_instances_are_counted_if_there_are_more(limit, queries, keys, django_assert_num_queries):
    statement = Instances(lambda found: Task.objects.filter(key__any=found).order_by("-key"))
    with django_assert_num_queries(queries):
        found, count = statement.some(keys, limit)
    assert (count, [task.key for task in found]) == (2, sorted(keys, reverse=True)[:limit])


@pytest.mark.django_db
def test_values_that_are_no_keys():
    statement = Compiled(lambda ids: Organization.objects.filter(pk__any=ids).values_list("pk"))
    assert statement([]) == statement(["'", "%s", "{", "NULL"]) == []


def test_columns_as_they_are_stored(keys):
    def build(found):
        rows = Task.objects.filter(key__any=found).order_by("-tag")
        return rows.values_list(
            key_text("key"), stored_json("metadata"), key_text("compute_plan__failed_task_key")
        )

    (first, metadata, none), (second, empty, _) = Compiled(build)(keys)
    assert none is None
    assert [first, second] == [str(key) for key in keys]
    assert orjson.loads(orjson.dumps([metadata, empty])) == [{"a": 'é "%'}, {}]


def test_after_a_transaction_that_failed(keys):
    statement = compiled()

    def change_and_fail():
        with transaction.atomic():
            Task.objects.filter(key__in=keys).update(status=TaskStatus.DONE)
            assert {row[2] for row in statement(keys)} == {TaskStatus.DONE}
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change_and_fail()
    assert TaskStatus.DONE not in {row[2] for row in statement(keys)}


PREPARED = (
    "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%FROM \"assets_task\"%'"
)


@pytest.mark.parametrize(("threshold", "prepared"), [(1, 1), (None, 0)])
def test_what_is_sent_again_is_prepared_unless_a_pooler_may_not_know_it(
    threshold, prepared, keys, monkeypatch
):
    if connection.vendor != "postgresql":
        pytest.skip("of PostgreSQL")
    monkeypatch.setattr(connection.connection, "prepare_threshold", threshold)
    statement = compiled()
    assert statement(keys) == statement(keys) == statement([*keys, uuid4()])
    with connection.cursor() as cursor:
        cursor.execute(PREPARED)
        assert cursor.fetchone() == (prepared,)


@pytest.mark.django_db(transaction=True)
def test_a_prepared_statement_outlives_a_change_of_its_columns():
    if connection.vendor != "postgresql":
        pytest.skip("of PostgreSQL")
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("CREATE TABLE changing AS SELECT 1 AS number")
        for _ in range(3):
            assert connection.fetch("SELECT number FROM changing", []) == [(1,)]
        with other.cursor() as cursor:
            cursor.execute("ALTER TABLE changing ALTER number TYPE text")
        assert connection.fetch("SELECT number FROM changing", []) == [("1",)]
    finally:
        with other.cursor() as cursor:
            cursor.execute("DROP TABLE changing")
        other.close()


@pytest.mark.parametrize("text", ['"', "\\", "'", "%s %", "{}?$1", "é \u2028 😀", "</script>", ""])
def test_json_that_the_database_writes(text, world):
    task = world.registered(world.task(tag=text, metadata={"a": text}))
    item = JSONText('{"key":?,"b":[?,?,?]}', "key", "rank", "tag", "metadata")
    tasks = Task.objects.filter(compute_plan_id=OuterRef("pk"))
    none = JSONText("[?]", "failed_task_key")
    rows = Rows(
        ComputePlan, *(JSONRows(tasks, item), JSONRows(tasks.filter(tag="none"), item, "{}"), none)
    )
    found = orjson.loads(orjson.dumps(rows([task.compute_plan_key])))
    inner = {"key": str(task.key), "b": [0, text, {"a": text}]}
    assert found == [[[inner], {}, [None]]]


def test_threads_compile_the_same():
    statement = compiled()
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: statement._statement[0], range(16)))
    assert len(set(found)) == 1
