"""The interfaces that requests use. Each is an adapter: a request in, an outcome out.

A rule holds at every interface, so every case runs through all of `INTERFACES`. A new interface is
a class with `send` and a line in `INTERFACES`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import singledispatchmethod
from typing import Any, Protocol

from rest_framework.response import Response
from rest_framework.test import APIClient

from assets.accounts.models import User
from assets.common.errors import Code, Refused
from assets.common.kinds import AssetKind
from assets.compute import registration as compute
from assets.compute.models import ComputePlan
from assets.compute.specs import ComputePlanSpec
from assets.datasets import registration as datasets
from assets.datasets.models import Dataset
from assets.datasets.specs import DataSampleSpec, DatasetSpec
from assets.feed.registration import rename
from assets.functions import registration as functions
from assets.functions.models import Function
from assets.functions.specs import FunctionSpec
from tests import builders

from .requests import Cancel, Link, Rename, Request, Tasks

ClientOf = Callable[[User], APIClient]


@dataclass(frozen=True)
class Reported:
    """One problem as the interface shows it."""

    code: str
    field: str
    message: str


@dataclass(frozen=True)
class Outcome:
    """What came of a request: problems if it was refused, else what the interface answered."""

    problems: tuple[Reported, ...] = ()
    answer: Any = None


class Interface(Protocol):
    def __init__(self, client_of: ClientOf) -> None: ...

    def send(self, actor: User, request: Request) -> Outcome: ...


class RegistrationInterface:
    """Calls `registration` itself, as every other interface does in the end."""

    def __init__(self, client_of: ClientOf) -> None:
        """There is nothing to sign in to."""

    def send(self, actor: User, request: Request) -> Outcome:
        try:
            return Outcome(answer=self._register(request, actor))
        except Refused as refused:
            return Outcome(
                tuple(
                    Reported(problem.code.label, problem.field, problem.message)
                    for problem in refused.problems
                )
            )

    @singledispatchmethod
    def _register(self, request: Request, actor: User) -> Any:
        raise NotImplementedError(type(request))

    @_register.register
    def _(self, spec: DatasetSpec, actor: User) -> Any:
        return datasets.register_dataset(spec, actor)

    @_register.register
    def _(self, spec: DataSampleSpec, actor: User) -> Any:
        return datasets.register_data_samples(spec, actor)

    @_register.register
    def _(self, spec: FunctionSpec, actor: User) -> Any:
        return functions.register_function(spec, actor)

    @_register.register
    def _(self, spec: ComputePlanSpec, actor: User) -> Any:
        return compute.register_compute_plan(spec, actor)

    @_register.register
    def _(self, batch: Tasks, actor: User) -> Any:
        return compute.register_tasks(batch.specs, actor)

    @_register.register
    def _(self, request: Rename, actor: User) -> Any:
        # A row of its own: what a refused rename left on it must not reach the test's.
        row = type(request.asset)._default_manager.get(pk=request.asset.pk)
        return rename(actor, row, request.name)

    @_register.register
    def _(self, request: Link, actor: User) -> Any:
        return datasets.link_data_samples(request.dataset_keys, request.sample_keys, actor)

    @_register.register
    def _(self, request: Cancel, actor: User) -> Any:
        return compute.cancel_compute_plan(request.plan_key, actor)


class ApiInterface:
    """Speaks HTTP as the SDK does."""

    def __init__(self, client_of: ClientOf) -> None:
        self.client_of = client_of

    def send(self, actor: User, request: Request) -> Outcome:
        response = self.post(request, self.client_of(actor))
        if response.status_code in (200, 201):
            return Outcome(answer=response.json())
        return Outcome(read_refusal(response))

    @singledispatchmethod
    def post(self, request: Request, client: APIClient) -> Response:
        raise NotImplementedError(type(request))

    @post.register
    def _(self, spec: DatasetSpec, client: APIClient) -> Response:
        return client.post("/api/data_manager/", builders.wire_dataset(spec))

    @post.register
    def _(self, spec: DataSampleSpec, client: APIClient) -> Response:
        return client.post("/api/data_sample/", builders.wire_samples(spec))

    @post.register
    def _(self, spec: FunctionSpec, client: APIClient) -> Response:
        return client.post("/api/function/", builders.wire_function(spec))

    @post.register
    def _(self, spec: ComputePlanSpec, client: APIClient) -> Response:
        return client.post("/api/compute_plan/", builders.wire_plan(spec), format="json")

    @post.register
    def _(self, batch: Tasks, client: APIClient) -> Response:
        body = {"tasks": [builders.wire_task(spec) for spec in batch.specs]}
        return client.post("/api/task/bulk_create/", body, format="json")

    @post.register
    def _(self, request: Rename, client: APIClient) -> Response:
        url = f"/api/{RESOURCES[type(request.asset)]}/{request.asset.key}/"
        return client.put(url, {"name": request.name}, format="json")

    @post.register
    def _(self, request: Link, client: APIClient) -> Response:
        keys = {"data_manager_keys": request.dataset_keys, "data_sample_keys": request.sample_keys}
        return client.post("/api/data_sample/bulk_update/", keys, format="json")

    @post.register
    def _(self, request: Cancel, client: APIClient) -> Response:
        return client.post(f"/api/compute_plan/{request.plan_key}/cancel/")


RESOURCES = {Dataset: "data_manager", Function: "function", ComputePlan: "compute_plan"}

STATUS_OF = {code.label: code.status for code in Code}
WORDS = {kind.word for kind in AssetKind}


def read_refusal(response: Response) -> tuple[Reported, ...]:
    """Return the problems of a refusal, whose body must be as the contract says."""
    body = response.json()
    assert "problems" in body, body
    problems = tuple(Reported(**problem) for problem in body["problems"])
    first = problems[0]
    assert response.status_code == STATUS_OF[first.code], body
    assert body["detail"].startswith(f"{first.code}: "), body
    assert body["detail"].endswith(first.message), body
    assert ("key" in body) >= (response.status_code == 409), body
    return problems


INTERFACES: dict[str, type[Interface]] = {
    "registration": RegistrationInterface,
    "api": ApiInterface,
}
