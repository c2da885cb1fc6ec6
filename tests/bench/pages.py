"""The dashboard's pages, as a signed-in user sees them."""

from collections.abc import Iterator
from typing import Any

from django.test import Client

from assets.accounts.models import User
from assets.models import ComputePlan, DataSample, Dataset, Function, Task

from .goals import GRAPH_PAGES
from .reads import middle
from .serving import Serving
from .timing import timed
from .world import ORGANIZATIONS


def session_cookie() -> str:
    """Sign a user of the data set in; return the cookie that its browser would send."""
    client = Client()
    client.force_login(User.objects.get(organization_id=ORGANIZATIONS[0]))
    return "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())


def paths() -> Iterator[tuple[str, str]]:
    """Yield (name, path) of every list, of a row from the middle of each, and of what is large."""
    yield "home", "/"
    for name in ("datasets", "data-samples", "functions", "compute-plans", "tasks"):
        yield f"list of {name}", f"/{name}/"
    for name in ("organisations", "users", "activity"):
        yield name, f"/{name}/"
    yield "search", "/search/?q=retina"
    yield "datasets, searched", "/datasets/?q=retina"
    yield "tasks, failed", "/tasks/?status=STATUS_FAILED"
    yield "tasks, of one worker", "/tasks/?worker=BetaMSP"
    dataset = middle(Dataset.objects)
    task = middle(Task.objects.filter(status="STATUS_DONE"))
    yield "dataset", f"/datasets/{dataset.pk}/"
    yield "data sample", f"/data-samples/{middle(DataSample.objects).pk}/"
    yield "function", f"/functions/{middle(Function.objects).pk}/"
    yield "task", f"/tasks/{task.pk}/"
    yield "compute plan", f"/compute-plans/{task.compute_plan_id}/"
    large = ComputePlan.objects.order_by("-task_count").first()
    assert large is not None
    yield GRAPH_PAGES[0], f"/compute-plans/{large.pk}/"
    yield GRAPH_PAGES[1], f"/compute-plans/{large.pk}/graph/"


def measure(serving: Serving, postmaster: int | None, seconds: float) -> Iterator[dict[str, Any]]:
    """Yield the figures of each page; those that the server does not have are left out."""
    server = serving.as_client(Cookie=session_cookie(), Accept="text/html")
    for name, path in paths():
        request = server.request(path)
        with server.connect() as connection:
            size = len(connection.expect(request).body)
        yield {
            "name": name,
            "path": path,
            "bytes": size,
            **timed(serving, postmaster, server, request, seconds),
        }
