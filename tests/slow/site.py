"""A server with a database of its own, a user who is signed in, and a file to download."""

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.with_postgres import free_port

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60
FILE_SIZE = 16 * 1024**2
DEFAULT = f"{sys.executable} -m gunicorn -c project/gunicorn.py project.wsgi:application"
PREPARE = f"""
import django, os
from django.core.management import call_command
django.setup()
call_command("migrate", verbosity=0)
call_command("collectstatic", verbosity=0, interactive=False)
call_command("create_organization", "MyOrg1MSP")
call_command("create_user", "alice", organization="MyOrg1MSP")
from django.test import Client
from assets.accounts.models import User
from tests.builders import CODE, function_spec, make_function, upload, zip_of
alice = User.objects.get(username="alice")
archive = zip_of(CODE | {{"weights": os.urandom({FILE_SIZE})}})
function = make_function(alice, file=upload(archive))
client = Client()
client.force_login(alice)
call_command("create_token", "alice")
print(client.cookies["sessionid"].value, function.key)
"""


@dataclass(frozen=True)
class Site:
    """A running server.

    Attributes:
        cookie, authorization: headers that sign in.
        download: the path of a file of some megabytes.
        log: the file that has what the server says.
    """

    address: tuple[str, int]
    cookie: str
    authorization: str
    download: str
    process: subprocess.Popen
    log: Path


def environment(home: Path, port: int) -> dict[str, str]:
    kept = ("PATH", "LANG", "TMPDIR", "PYTHONPATH", "WEB_CONCURRENCY", "WEB_THREADS")
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "VAR_DIR": str(home),
        "PORT": str(port),
    }


@contextlib.contextmanager
def serving(home: Path, command: str = DEFAULT) -> Iterator[Site]:
    """Serve for the length of the block; `{port}` in the command stands for the port."""
    port = free_port()
    values = environment(home, port)
    prepared = subprocess.run(
        [sys.executable, "-c", PREPARE], cwd=ROOT, env=values, capture_output=True, text=True
    )
    if prepared.returncode:
        raise SystemExit(prepared.stderr)
    token, session, function = prepared.stdout.split()[-3:]
    log = home / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            shlex.split(command.replace("{port}", str(port))),
            cwd=ROOT,
            env=values,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    site = Site(
        ("127.0.0.1", port),
        f"Cookie: sessionid={session}",
        f"Authorization: Token {token}",
        f"/api/function/{function}/file/",
        process,
        log,
    )
    try:
        _wait_for(site)
        yield site
    finally:
        _stop(process)


def _wait_for(site: Site) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and site.process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(site.address, 5) as connection:
            connection.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            if connection.recv(12) == b"HTTP/1.1 200":
                return
        time.sleep(0.1)
    raise SystemExit(f"the server did not start:\n{site.log.read_text(errors='replace')}")


def _stop(process: subprocess.Popen) -> None:
    for how in (signal.SIGINT, signal.SIGKILL):
        if process.poll() is None:
            process.send_signal(how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
