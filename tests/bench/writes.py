"""Registering, beside the time that storing the same rows takes.

The yardstick of each line is the same rows inserted once more by plain `executemany`, on the same
database: what no server can go below.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import orjson
import requests
from django.db import connection, models, transaction

from assets.accounts.models import User
from assets.compute.inputs import grouped
from assets.compute.specs import TaskSpec
from assets.models import (
    DataSample,
    DataSampleLink,
    Dataset,
    Event,
    Function,
    FunctionInput,
    FunctionOutput,
    Task,
    TaskInput,
    TaskOutput,
)
from tests import builders

from .client import Connection
from .machine import Meter, median
from .serving import Serving
from .statements import count_statements
from .world import ORGANIZATIONS

Body = tuple[bytes, str]


@dataclass(frozen=True, slots=True)
class Registration:
    """One thing to register: how its request is made, and which rows it leaves."""

    name: str
    path: str
    body: Callable[[], Body]
    repeats: int
    count: int
    # The model of what is registered, and the columns by which other rows belong to it.
    model: type[models.Model]
    others: dict[type[models.Model], str]


class Registrar:
    """Registers for an organisation of the data set, with assets of its own for tasks."""

    def __init__(self, serving: Serving, token: str, postmaster: int | None) -> None:
        self.server = serving.as_client(Authorization=f"Token {token}", Accept="application/json")
        self._token, self._gunicorn, self._postmaster = token, serving.pid, postmaster
        self._actor = User.objects.get(organization_id=ORGANIZATIONS[0])
        self._dataset = builders.make_dataset(self._actor)
        self._samples = builders.make_samples(self._actor, self._dataset.key, count=2)
        self._function = builders.make_function(self._actor)
        self._archive = builders.zip_of({"data.csv": b"patient,count\n1,4.7\n"})

    def registrations(self, patience: float) -> list[Registration]:
        """Return what to register; `patience` below 1 asks for fewer repetitions."""

        def times(number: int) -> int:
            return max(2, round(number * min(1.0, patience)))

        found = [
            self._assets("1 dataset", "data_manager", self.dataset_body, times(40), Dataset, {}),
            self._assets(
                *("1 function", "function", self.function_body, times(40), Function),
                {FunctionInput: "function_id", FunctionOutput: "function_id"},
            ),
            Registration(
                *("100 samples", "/api/data_sample/", self.samples_body, times(10), 100),
                *(DataSample, {DataSampleLink: "data_sample_id", Event: "asset_key"}),
            ),
        ]
        for count, repeats in ((1, 40), (100, 20), (1000, 8), (10_000, 4)):
            name = f"{count:,} task{'s' if count > 1 else ''}"
            found.append(
                Registration(
                    *(name, "/api/task/bulk_create/", self.tasks_body(count), times(repeats)),
                    *(count, Task),
                    {TaskInput: "task_id", TaskOutput: "task_id", Event: "asset_key"},
                )
            )
        return found

    def _assets(
        self,
        name: str,
        path: str,
        body: Callable[[], Body],
        repeats: int,
        model: type[models.Model],
        others: dict[type[models.Model], str],
    ) -> Registration:
        others = {**others, Event: "asset_key"}
        return Registration(name, f"/api/{path}/", body, repeats, 1, model, others)

    # --- Bodies ----------------------------------------------------------------------------------

    def dataset_body(self) -> Body:
        return multipart_body(builders.wire_dataset(builders.dataset_spec()))

    def function_body(self) -> Body:
        return multipart_body(builders.wire_function(builders.function_spec()))

    def samples_body(self) -> Body:
        values = {"data_manager_keys": [str(self._dataset.key)]}
        files = {f"sample-{n}": builders.upload(self._archive, f"{n}.zip") for n in range(100)}
        return multipart_body(builders.multipart(values, **files))

    def tasks_body(self, count: int) -> Callable[[], Body]:
        def make() -> Body:
            plan = str(uuid4())
            body = orjson.dumps({"key": plan, "name": "bench"})
            with self.server.connect() as connected:
                connected.expect(self.request("/api/compute_plan/", (body, _JSON)), 201)
            tasks = [builders.wire_task(task, plan) for task in self._chains(count)]
            return orjson.dumps({"tasks": tasks}), _JSON

        return make

    def plan_tasks(self, count: int) -> list[dict[str, Any]]:
        """Return tasks as they are sent within their plan."""
        return [builders.wire_plan_task(task) for task in self._chains(count)]

    @property
    def dataset_key(self) -> UUID:
        return self._dataset.pk

    def _chains(self, count: int) -> list[TaskSpec]:
        """Build tasks of three or four inputs: in chains of ten, as rounds of training are."""
        tasks: list[TaskSpec] = []
        for index in range(count):
            task = builders.training_task(self._dataset, self._samples, self._function)
            if index % 10:
                task.inputs = grouped([*task.refs, builders.child_input(tasks[-1])])
            tasks.append(task)
        return tasks

    def request(self, path: str, body: Body) -> bytes:
        return self.server.request(path, "POST", body[0], Content_Type=body[1])

    # --- Measuring -------------------------------------------------------------------------------

    def measure(self, registration: Registration) -> dict[str, Any]:
        """Register a few times; return the figures, times in milliseconds."""
        with self.server.connect() as connected:
            self._post(connected, registration)
        bodies = [registration.body() for _ in range(registration.repeats)]
        taken = []
        server, database = Meter(self._gunicorn), Meter(self._postmaster)
        for body in bodies:
            with self.server.connect() as connected:
                begin = time.perf_counter()
                _expect_created(connected, self.request(registration.path, body))
                taken.append(time.perf_counter() - begin)
        computing = server.seconds(), database.seconds()
        rows = [_yardstick_seconds(registration) for _ in range(min(3, registration.repeats))]
        return {
            "name": registration.name,
            "repeats": len(taken),
            "p50_ms": median(taken) * 1000,
            "worst_ms": max(taken) * 1000,
            "server_ms": computing[0] / len(taken) * 1000,
            "database_ms": computing[1] / len(taken) * 1000,
            "rows_ms": median(rows) * 1000,
            "statements": self._statements(registration),
        }

    def _post(self, connected: Connection, registration: Registration) -> None:
        _expect_created(connected, self.request(registration.path, registration.body()))

    def _statements(self, registration: Registration) -> int:
        content, kind = registration.body()
        return count_statements(registration.path, self._token, content, kind)


_JSON = "application/json"


def multipart_body(parts: dict[str, Any]) -> Body:
    """Return a multipart body and its content type, as the SDK's `requests` writes it."""
    files = {name: (part.name, part.read()) for name, part in parts.items() if name != "json"}
    request = requests.Request(
        "POST", "http://localhost/", data={"json": parts["json"]}, files=files
    )
    prepared = request.prepare()
    assert isinstance(prepared.body, bytes)
    return prepared.body, prepared.headers["Content-Type"]


def _expect_created(connected: Connection, request: bytes) -> None:
    answer = connected.ask(request)
    assert answer.status in (200, 201), answer.body[:500]


def _yardstick_seconds(registration: Registration) -> float:
    """Copy the newest rows under new keys, by `executemany`, then roll back; return the seconds."""
    model = registration.model
    newest = model._default_manager.order_by("-creation_date", "pk")
    keys = list(newest.values_list("pk", flat=True)[: registration.count])
    new_keys = {key: uuid4() for key in keys}
    tables = [_rows_of(model, "pk__any", keys, new_keys)]
    for other, column in registration.others.items():
        tables.append(_rows_of(other, f"{column}__any", keys, new_keys))
    with suppress(_RolledBack), transaction.atomic(), connection.cursor() as cursor:
        begin = time.perf_counter()
        for sql, rows in tables:
            cursor.executemany(sql, rows)
        seconds = time.perf_counter() - begin
        raise _RolledBack
    return seconds


class _RolledBack(Exception):
    pass


def _rows_of(
    model: type[models.Model], lookup: str, keys: list[UUID], new_keys: dict[UUID, UUID]
) -> tuple[str, list[list[Any]]]:
    fields = [
        field
        for field in model._meta.concrete_fields
        if not isinstance(field, models.AutoField) and not field.generated
    ]
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    found = model._default_manager.filter(**{lookup: keys})
    rows = [
        [
            field.get_db_prep_save(
                new_keys.get(value, value) if isinstance(value, UUID) else value, connection
            )
            for field, value in zip(fields, row, strict=True)
        ]
        for row in found.values_list(*(field.attname for field in fields))
    ]
    return f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({marks})", rows  # noqa: S608
