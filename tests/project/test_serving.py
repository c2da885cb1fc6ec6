"""Gunicorn in a process of its own: it finishes requests in progress, and serves metrics."""

import dataclasses
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.builders import DESCRIPTION, OPENER
from tests.slow.clients import held, left, slow_body
from tests.with_postgres import free_port

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120
PREPARE = """
import django
from django.core.management import call_command
django.setup()
call_command("migrate", verbosity=0)
call_command("create_organization", "MyOrg1MSP")
call_command("create_user", "alice", organization="MyOrg1MSP")
call_command("create_token", "alice")
"""


class Instance:
    """A server with a database of its own, on SQLite."""

    def __init__(self, home: Path) -> None:
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        self.port, self.metrics_port = free_port(), free_port()
        self.environment = {
            **kept,
            "DJANGO_SETTINGS_MODULE": "project.settings",
            "VAR_DIR": str(home),
            "PORT": str(self.port),
            "METRICS_PORT": str(self.metrics_port),
            "ACCESS_LOG": "true",
            "MAX_JSON_SIZE": "1000000",
            "LOG_FORMAT": "json",
        }
        self.token = self.run("-c", PREPARE).split()[-1]
        self.log = home / "server.log"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "gunicorn"),
                    *("-c", "project/gunicorn.py", "project.wsgi:application"),
                ],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def run(self, *command: str) -> str:
        done = subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def wait_until(self, what) -> None:
        end = time.monotonic() + PATIENCE
        while not what():
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.05)

    def answers(self) -> bool:
        try:
            return requests.get(f"http://127.0.0.1:{self.port}/readyz", timeout=10).ok
        except requests.RequestException:
            return False

    def metrics(self) -> str:
        return requests.get(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=PATIENCE).text


@pytest.fixture
def instance(tmp_path) -> Iterator[Instance]:
    server = Instance(tmp_path)
    try:
        server.wait_until(server.answers)
        yield server
    finally:
        if server.process.poll() is None:
            server.process.terminate()
            server.process.wait(PATIENCE)


def upload(token: str, port: int) -> bytes:
    """A dataset's registration as it goes over the wire."""
    parts = {
        'name="json"': b'{"name": "Slow", "permissions": {"public": true, "authorized_ids": []},'
        b' "logs_permission": {"public": true, "authorized_ids": []}}',
        'name="data_opener"; filename="opener.py"': OPENER,
        'name="description"; filename="description.md"': DESCRIPTION,
    }
    body = b"".join(
        b"--edge\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % (head.encode(), content)
        for head, content in parts.items()
    )
    body += b"--edge--\r\n"
    head = (
        f"POST /api/data_manager/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Authorization: Token {token}\r\nContent-Type: multipart/form-data; boundary=edge\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def check_metrics(instance: Instance) -> None:
    """Metrics count what all workers did, and are on their own port only."""
    address = f"http://127.0.0.1:{instance.port}"
    headers = {"Authorization": f"Token {instance.token}"}
    sent = upload(instance.token, instance.port)
    with socket.create_connection(("127.0.0.1", instance.port), timeout=PATIENCE) as connection:
        connection.sendall(sent)
        assert connection.recv(12) == b"HTTP/1.1 201"
    for _ in range(20):
        assert requests.get(f"{address}/api/task/", headers=headers, timeout=PATIENCE).ok
    brewed = requests.request("BREW", f"{address}/api/task/", headers=headers, timeout=PATIENCE)
    assert brewed.status_code == 405

    def value(series: str) -> float:
        found = re.search(rf"^{re.escape(series)} (\S+)$", instance.metrics(), re.M)
        return float(found[1]) if found else 0

    assert value('registrar_requests_total{method="GET",status="2xx",view="api:task-list"}') == 20
    assert value('registrar_request_seconds_count{view="api:task-list"}') == 21
    assert value('registrar_requests_total{method="other",status="4xx",view="api:task-list"}') == 1
    assert value("registrar_uploaded_bytes_total") == len(OPENER + DESCRIPTION)
    assert value('registrar_events_total{action="registered",kind="ASSET_DATA_MANAGER"}') == 1
    assert 'registrar_build_info{database="sqlite"' in instance.metrics()
    # The port of the metrics serves nothing else, and nothing else serves them.
    assert "registrar_requests" in instance.metrics()
    assert "registrar" not in requests.get(f"{address}/api/metrics", timeout=PATIENCE).text
    elsewhere = f"http://127.0.0.1:{instance.metrics_port}/api/task/"
    assert "registrar_requests" in requests.get(elsewhere, headers=headers, timeout=PATIENCE).text


REFUSED = [
    # Without sign-in, bodies are not read; a view that needs no sign-in reads small ones.
    ("/api/task/bulk_create/", "application/json", "", 401),
    ("/api/data_manager/", "multipart/form-data; boundary=edge", "", 401),
    ("/api/api-token-auth/", "application/json", "", 413),
    ("/api/api-token-auth/", "multipart/form-data; boundary=edge", "", 413),
    ("/api/task/bulk_create/", "application/json", "Authorization: Token {token}\r\n", 413),
    ("/api/task/bulk_create/", "text/plain", "Authorization: Token {token}\r\n", 415),
]


def check_refused_bodies(instance: Instance) -> None:
    """The answer comes at once, though a body of 100 GB is announced or begun."""
    for path, content_type, authorization, status in REFUSED:
        for announced in ("Content-Length: 100000000000", "Transfer-Encoding: chunked"):
            head = (
                f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {content_type}\r\n"
                f"{authorization.format(token=instance.token)}{announced}\r\n\r\n"
            )
            with socket.create_connection(("127.0.0.1", instance.port), PATIENCE) as connection:
                connection.sendall(head.encode())
                if "chunked" in announced:
                    connection.sendall(b"1000000\r\n" + b"a" * 20_000)
                    if authorization and status == 413:
                        connection.sendall(b"a" * 2_000_000)
                answer = connection.recv(65536)
            assert answer.startswith(f"HTTP/1.1 {status} ".encode()), (head, answer)


def check_chunked_bodies(instance: Instance) -> None:
    """What is sent in chunks is read like what announces its length."""
    address = f"http://127.0.0.1:{instance.port}"
    headers = {"Authorization": f"Token {instance.token}"}
    plan = json.dumps({"key": str(uuid.uuid4()), "name": "in chunks", "tag": "x" * 90})
    padded = plan.encode() + b" " * 50_000
    answer = requests.post(
        f"{address}/api/compute_plan/",
        data=iter([padded[:10], padded[10:]]),
        headers=headers | {"Content-Type": "application/json"},
        timeout=PATIENCE,
    )
    assert (answer.status_code, answer.json()["name"]) == (201, "in chunks")
    head, _, body = upload(instance.token, instance.port).partition(b"\r\n\r\n")
    answer = requests.post(
        f"{address}/api/data_manager/",
        data=iter([body]),
        headers=headers | {"Content-Type": "multipart/form-data; boundary=edge"},
        timeout=PATIENCE,
    )
    assert answer.status_code == 201


def check_slow_clients(instance: Instance) -> None:
    """Clients that have begun a body hold no thread, signed in or not."""
    begun = [
        slow_body("/api/api-token-auth/", 10_000, content_type="application/json"),
        slow_body(
            "/api/task/bulk_create/",
            10**6,
            f"Authorization: Token {instance.token}",
            content_type="application/json",
        ),
    ]
    clients = [dataclasses.replace(client) for client in begun * 20]
    with held(("127.0.0.1", instance.port), clients):
        for _ in range(5):
            assert instance.answers()
        assert left(clients) == len(clients)


def check_stopping(instance: Instance) -> None:
    """An upload under way is answered, and nothing new begins."""
    sent = upload(instance.token, instance.port)
    with socket.create_connection(("127.0.0.1", instance.port), timeout=PATIENCE) as slow:
        slow.sendall(sent[:-300])
        # A worker has begun with it once the server has answered somebody who came later.
        instance.wait_until(instance.answers)
        instance.process.send_signal(signal.SIGTERM)
        instance.wait_until(lambda: not instance.answers())
        assert instance.process.poll() is None
        slow.sendall(sent[-300:])
        answer = b""
        while data := slow.recv(65536):
            answer += data

    assert answer.startswith(b"HTTP/1.1 201 "), answer
    assert instance.process.wait(PATIENCE) == 0
    assert '"path":"/api/data_manager/","status":201' in instance.log.read_text()


def test_a_server_that_counts_and_stops(instance):
    """All in one test: a server takes seconds to start."""
    check_metrics(instance)
    check_refused_bodies(instance)
    check_chunked_bodies(instance)
    check_slow_clients(instance)
    check_stopping(instance)


def test_counting_costs_nothing_where_no_one_reads_it():
    program = (
        "import sys, project.wsgi; from django.conf import settings;"
        "sys.exit('prometheus_client' in sys.modules or 'metrics' in str(settings.MIDDLEWARE))"
    )
    environment = {name: value for name, value in os.environ.items() if name != "METRICS_PORT"}
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, check=False)
    assert done.returncode == 0
