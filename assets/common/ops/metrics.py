"""Metrics for Prometheus: numbers and durations of requests, and registered assets.

Imported only if METRICS_PORT is set; otherwise nothing is counted. On that port, gunicorn serves
`exposition`, which adds up the counts of its worker processes.
"""

import os
import platform
import time
from collections.abc import Callable, Iterable
from typing import Any

import django
from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.datastructures import MultiValueDict
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, make_wsgi_app
from prometheus_client.multiprocess import MultiProcessCollector

from ..connections import is_let_wait
from ..signals import recorded

REQUESTS = Counter("registrar_requests", "Requests answered.", ["view", "method", "status"])
SECONDS = Histogram(
    "registrar_request_seconds",
    "Seconds until an answer begins.",
    ["view"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
REFUSED = Counter("registrar_refused", "Requests refused for lack of permission (403).", ["view"])
UPLOADED = Counter("registrar_uploaded_bytes", "Bytes of files in requests that succeeded.")
RECORDED = Counter("registrar_events", "Events of assets.", ["kind", "action"])
POOL = Gauge(
    "registrar_database_pool",
    "Connections of the pools of all processes, and requests that wait for one.",
    ["state"],
    multiprocess_mode="livesum",
)
BUILD = Gauge(
    "registrar_build_info",
    "Always 1; the labels have the versions.",
    ["version", "python", "django", "database"],
    multiprocess_mode="mostrecent",
)
# Other methods, which can be any word, are counted together.
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
# The states of a pool, and their names in the pool's statistics.
POOL_STATES = {"size": "pool_size", "available": "pool_available", "waiting": "requests_waiting"}

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class RequestMetrics:
    """Middleware that counts each request when it is answered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._pool_updated = 0.0
        recorded.connect(_count_recorded, dispatch_uid="metrics")
        BUILD.labels(
            settings.VERSION, platform.python_version(), django.__version__, connection.vendor
        ).set(1)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        begin = time.perf_counter()
        response = self.get_response(request)
        if is_let_wait(response):
            return response
        now = time.perf_counter()
        match = request.resolver_match
        view = match.view_name if match else "none"
        method = request.method if request.method in METHODS else "other"
        REQUESTS.labels(view, method, f"{response.status_code // 100}xx").inc()
        SECONDS.labels(view).observe(now - begin)
        if response.status_code == 403:
            REFUSED.labels(view).inc()
        elif response.status_code < 400 and method in ("POST", "PUT"):
            _count_uploaded(request)
        if now - self._pool_updated > 1:
            self._pool_updated = now
            _update_pool()
        return response


def _count_uploaded(request: HttpRequest) -> None:
    # Only files that a view has parsed: the body is not read for it.
    files: Any = request.__dict__.get("_files") or MultiValueDict()
    if size := sum(file.size or 0 for _, sent in files.lists() for file in sent):
        UPLOADED.inc(size)


def _count_recorded(kind: str, action: str, count: int, **_: Any) -> None:
    transaction.on_commit(lambda: RECORDED.labels(kind, action).inc(count))


def _update_pool() -> None:
    pool = getattr(connection, "pool", None)
    if pool is not None:
        stats = pool.get_stats()
        for state, name in POOL_STATES.items():
            POOL.labels(state).set(stats.get(name, 0))


def exposition(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """WSGI application that answers a scrape with the counts of all processes."""
    registry = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    return make_wsgi_app(registry)(environ, start_response)


def with_metrics(application: Application) -> Application:
    """Return a WSGI application that serves metrics on METRICS_PORT, else `application`."""
    port = str(settings.METRICS_PORT)

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        # The port of the connection, which clients cannot set by a header.
        chosen = exposition if environ["SERVER_PORT"] == port else application
        return chosen(environ, start_response)

    return serve
