"""Serves Registrar to the tests of one SDK version: `python -m tests.sdk.serve FOLDER [DATABASE]`.

Prepares a database and its people, starts gunicorn on a free port, and writes FOLDER/server.json
once it answers. Several test processes may use the server: each holds a shared lock on
FOLDER/users. Once all locks are released, also by killed processes, the server ends.
DATABASE is the URL of a PostgreSQL cluster to make a database in; without it SQLite serves.
"""

import contextlib
import fcntl
import io
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from multiprocessing.connection import Listener
from pathlib import Path
from threading import Thread
from unittest import mock
from urllib.parse import urlsplit

import django
import psycopg
from django.core.management import call_command
from django.db import connections
from psycopg import sql

from tests.with_postgres import free_port, leave

from .peers import ROOT

ORGANIZATIONS = {
    "MyOrg1MSP": "First hospital",
    "MyOrg2MSP": "Second hospital",
    "MyOrg3MSP": "Third hospital",
}
# Victor only looks on. Alice has a password too, the others sign in by token.
USERS = {
    "alice": ("MyOrg1MSP", "member"),
    "victor": ("MyOrg1MSP", "viewer"),
    "bob": ("MyOrg2MSP", "member"),
    "carol": ("MyOrg3MSP", "admin"),
}
PASSWORD = "long enough for a test"
MAX_UPLOAD_SIZE = 1024**2


@contextlib.contextmanager
def own_database(cluster: str) -> Iterator[str]:
    """Make a database in the cluster for the length of the block; yield its URL."""
    if not cluster:
        yield ""
        return
    name = f"registrar_sdk_{secrets.token_hex(6)}"

    def run(statement: str) -> None:
        with psycopg.connect(cluster, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(name)))

    run("CREATE DATABASE {}")
    try:
        yield urlsplit(cluster)._replace(path=f"/{name}").geturl()
    finally:
        # The cluster itself may be on its way out.
        with contextlib.suppress(psycopg.OperationalError):
            run("DROP DATABASE {} WITH (FORCE)")


def settings(home: Path, database_url: str) -> dict[str, str]:
    """Return the environment of this server alone."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "DATABASE_URL": database_url,
        "SECRET_KEY": secrets.token_urlsafe(50),
        "VAR_DIR": str(home / "var"),
        "SERVERMEDIAS_ROOT": str(home / "servermedias"),
        "MAX_UPLOAD_SIZE": str(MAX_UPLOAD_SIZE),
        "ACCESS_LOG": "true",
        # Starts in half the time; its threads answer in parallel.
        "WEB_CONCURRENCY": "1",
    }


def manage(*command: str, stdin: str = "") -> str:
    """Run a command of manage.py in this process; return what it prints."""
    output = io.StringIO()
    with mock.patch("sys.stdin", io.StringIO(stdin)):
        call_command(*command, stdout=output, stderr=io.StringIO())
    return output.getvalue().strip()


def create_people() -> dict[str, str]:
    """Create the organisations and the users; return a token of each user."""
    for organization, name in ORGANIZATIONS.items():
        manage("create_organization", organization, "--name", name)
    for user, (organization, role) in USERS.items():
        command = ("create_user", user, "--organization", organization, "--role", role)
        if user == "alice":
            manage(*command, "--password-stdin", stdin=f"{PASSWORD}\n")
        else:
            manage(*command)
    return {user: manage("create_token", user) for user in USERS}


@contextlib.contextmanager
def gunicorn(log: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """Serve for the length of the block; yield the URL once it answers."""
    for _attempt in range(3):  # another program may take the port between our look and our start
        port = free_port()
        with log.open("wb") as output:
            server = subprocess.Popen(
                [
                    *(sys.executable, "-m", "gunicorn", "-c", "project/gunicorn.py"),
                    "project.wsgi:application",
                ],
                cwd=ROOT,
                env={**environment, "PORT": str(port)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            if answers(server, log):
                yield f"http://127.0.0.1:{port}"
                return
        finally:
            stop(server)
    raise SystemExit(f"gunicorn did not start:\n{log.read_text(errors='replace')}")


def answers(server: subprocess.Popen, log: Path) -> bool:
    """Wait until gunicorn has the port; False if it ended."""
    for _wait in range(600):
        if b" serves http" in log.read_bytes():
            return True
        if server.poll() is not None:
            break
        time.sleep(0.05)
    return False


def stop(server: subprocess.Popen) -> None:
    for how in (signal.SIGINT, signal.SIGKILL):  # quickly, by force
        if server.poll() is None:
            server.send_signal(how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(10)


@contextlib.contextmanager
def own_folder(parent: Path) -> Iterator[Path]:
    """Make a folder for the length of the block."""
    folder = Path(tempfile.mkdtemp(dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def offer_until_unused(folder: Path, offer: Mapping[str, object]) -> None:
    """Give test processes the server's address until none of them needs it."""
    path = folder / "server.json"
    # Whoever looks finds a whole file or none.
    path.with_suffix(".new").write_text(json.dumps(offer))
    path.with_suffix(".new").rename(path)
    with (folder / "users").open("rb") as users:
        fcntl.flock(users, fcntl.LOCK_EX)
        path.unlink()
        (folder / "running").unlink()


def prepared(home: Path, database_url: str) -> tuple[dict[str, str], dict[str, str]]:
    """Make this process one of the server's, and its database ready; return settings and tokens."""
    environment = settings(home, database_url)
    os.environ.clear()
    os.environ.update(environment)
    django.setup()
    call_command("migrate", verbosity=0)
    tokens = create_people()
    connections.close_all()
    return environment, tokens


def start_worker() -> dict[str, str]:
    """Have tasks done for whoever connects; return how to."""
    from .worker import work_for_all  # needs Django to be set up

    secret = secrets.token_hex()
    listener = Listener(authkey=secret.encode())
    Thread(target=work_for_all, args=[listener], daemon=True).start()
    return {"address": listener.address, "secret": secret}


def serve(folder: Path, cluster: str) -> None:
    with own_folder(folder) as home, own_database(cluster) as database_url:
        environment, tokens = prepared(home, database_url)
        with gunicorn(home / "server.log", environment) as url:
            offer = {
                "url": url,
                "home": str(home),
                "tokens": tokens,
                "environment": environment,
                "worker": start_worker(),
            }
            offer_until_unused(folder, offer)


def main(folder: Path, cluster: str = "") -> None:
    signal.signal(signal.SIGTERM, leave)
    try:
        serve(folder, cluster)
    except BaseException:
        # Those who wait for the offer see that there will be none.
        (folder / "running").unlink(missing_ok=True)
        raise


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
