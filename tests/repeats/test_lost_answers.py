"""A program that gets no answer, or 503, sends it again: nothing may be registered by then."""

import socket
from contextlib import contextmanager

import pytest
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

from assets.datasets.models import DataSample, Dataset
from assets.functions.models import Function
from tests import builders
from tests.files.stored import nothing_left, row_counts, stored_files
from tests.rules.interfaces import ApiInterface

pytestmark = pytest.mark.postgresql

API = ApiInterface(lambda user: None)


def dataset(alice):
    return builders.dataset_spec()


def samples(alice):
    archives = {
        f"{n}.zip": builders.upload(builders.zip_of({"a": b"1"}), f"{n}.zip") for n in (1, 2)
    }
    return builders.DataSampleSpec([builders.make_dataset(alice).key], archives)


def function(alice):
    return builders.function_spec()


REGISTERED = pytest.mark.parametrize(
    ("spec_of", "model"),
    [(dataset, Dataset), (samples, DataSample), (function, Function)],
    ids=["dataset", "samples", "function"],
)


@contextmanager
def database_after(inserted, then):
    """Call `then` for each statement that follows one that inserts into the table."""
    seen = []

    def execute(call, sql, params, many, context):
        if seen:
            then(sql)
        if sql.startswith("INSERT") and f'"{inserted}"' in sql:
            seen.append(sql)
        return call(sql, params, many, context)

    with connection.execute_wrapper(execute):
        yield seen


@pytest.mark.django_db
@REGISTERED
def test_nothing_is_registered_for_a_client_that_has_gone(alice, client_of, spec_of, model):
    spec = spec_of(alice)
    client = client_of(alice)
    before = row_counts(), stored_files()
    here, there = socket.socketpair()
    there.close()
    with here:
        client.defaults["registrar.socket"] = here
        answer = API.post(spec, client)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("OE0003: ")
    assert "nothing was registered" in answer.json()["detail"]
    assert (row_counts(), stored_files()) == before


@pytest.mark.django_db
def test_a_client_that_waits_is_answered(alice, client_of):
    client = client_of(alice)
    here, there = socket.socketpair()
    with here, there:
        # As one that sends its next request ahead.
        there.send(b"GET ")
        client.defaults["registrar.socket"] = here
        assert API.post(builders.dataset_spec(), client).status_code == 201


@pytest.mark.django_db(transaction=True)
@REGISTERED
def test_what_is_registered_is_answered_in_an_outage(alice, client_of, spec_of, model):
    spec = spec_of(alice)
    client = client_of(alice)

    def fails(sql):
        if sql.startswith("SELECT") and "key" in sql and not connection.in_atomic_block:
            raise OperationalError("no")

    with database_after(model._meta.db_table, fails):
        answer = API.post(spec, client)
    assert answer.status_code == 201
    body = answer.json()
    keys = {item["key"] for item in (body if isinstance(body, list) else [body])}
    assert keys == {str(key) for key in model.objects.values_list("key", flat=True)}


@contextmanager
def commit_fails(monkeypatch, inserted, *, after, broken):
    """Have the commit that registers fail, before or `after` it is done."""
    commit = BaseDatabaseWrapper._commit

    with database_after(inserted, lambda sql: None) as seen:
        failed = []

        def failing(self):
            if seen and not failed:
                failed.append(True)
                if after:
                    commit(self)
                raise OperationalError("the connection is lost")
            return commit(self)

        def away(call, sql, params, many, context):
            if failed and broken:
                raise OperationalError("the connection is lost")
            return call(sql, params, many, context)

        monkeypatch.setattr(BaseDatabaseWrapper, "_commit", failing)
        with connection.execute_wrapper(away):
            yield


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("after", "broken", "status"),
    [(True, False, 201), (False, False, 503), (True, True, 500)],
    ids=["it is done", "it is not done", "it is not known"],
)
def test_a_commit_that_fails(monkeypatch, alice, client_of, after, broken, status):
    client = client_of(alice)
    client.raise_request_exception = False
    with commit_fails(monkeypatch, "assets_dataset", after=after, broken=broken):
        answer = API.post(builders.dataset_spec(), client)
    assert answer.status_code == status, answer.content
    assert Dataset.objects.count() == int(after)
    if status == 503:
        nothing_left()
    if status == 500:
        assert "may or may not be saved" in answer.json()["detail"]
