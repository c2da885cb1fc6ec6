#!/usr/bin/env python3
"""Run a command with a PostgreSQL of its own: `python tests/with_postgres.py -- COMMAND...`

Makes a cluster in a temporary directory, starts it on a free loopback port, runs the command with
DATABASE_URL naming it, and removes everything when the command has ended, however it ended. With
TEST_POSTGRES_URL set, the command uses that server instead.

The exit code is the command's. Where PostgreSQL is not installed it is 77, or 1 when CI is set.
"""

import contextlib
import locale
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

NOT_AVAILABLE = 77
DATABASE = "registrar"
# The data live for one run: what a crash would cost does not matter, speed does.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "100",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


class Failure(Exception):
    """PostgreSQL is here but does not work; the text says how it failed."""


def find_binaries() -> Path | None:
    """Return the directory with the newest PostgreSQL's server programs."""

    def version(directory: Path) -> list[int]:
        return [int(number) for number in re.findall(r"\d+", str(directory))]

    found = sorted(
        [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")],
        key=version,
        reverse=True,
    )
    if on_path := shutil.which("initdb"):
        found.append(Path(on_path).resolve().parent)
    needed = ("initdb", "postgres", "pg_isready", "createdb")
    return next((path for path in found if all((path / name).exists() for name in needed)), None)


def server_user() -> dict[str, object]:
    """Return the Popen arguments that make a process run as a user PostgreSQL accepts: not root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise Failure("PostgreSQL refuses to run as root, and there is neither 'postgres' nor 'nobody'")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def best_locale() -> str:
    """Return C.UTF-8, which knows upper and lower case beyond ASCII, where the system has it."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return "C"
    locale.setlocale(locale.LC_CTYPE, before)
    return "C.UTF-8"


def run_tool(*command: str | Path, **as_user: object) -> None:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **as_user
    )
    if done.returncode:
        raise Failure(f"{Path(command[0]).name} failed:\n{done.stdout}{done.stderr}".rstrip())


def make_cluster(binaries: Path, home: Path, **as_user: object) -> None:
    """Make an empty cluster in `home`, which exists."""
    if as_user:
        os.chown(home, as_user["user"], as_user["group"])
    run_tool(
        binaries / "initdb",
        *("-D", home / "data", "-U", "postgres", "-A", "trust", "--no-sync"),
        *("--encoding=UTF8", f"--locale={best_locale()}"),
        cwd=home,
        **as_user,
    )


def start_server(
    binaries: Path, home: Path, settings: dict[str, str], **as_user: object
) -> tuple[subprocess.Popen, int]:
    """Start the server in `home` and return it with its port, once it answers."""
    log = home / "server.log"
    for _attempt in range(3):  # another program may take the port between our look and our start
        port = free_port()
        own = {"port": str(port), "unix_socket_directories": str(home)}
        with log.open("ab") as output:
            server = subprocess.Popen(
                [
                    binaries / "postgres",
                    *("-D", home / "data"),
                    *(f"--{name}={value}" for name, value in (settings | own).items()),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # Out of reach of Ctrl-C: the command must find its database until it has ended.
                start_new_session=True,
                **as_user,
            )
        try:
            for _wait in range(600):
                ready = [binaries / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
                if subprocess.run(ready, check=False).returncode == 0:
                    return server, port
                if server.poll() is not None:
                    break
                time.sleep(0.05)
        except BaseException:
            stop_server(server)
            raise
        stop_server(server)
    raise Failure(f"PostgreSQL did not start:\n{log.read_text(errors='replace')}".rstrip())


def stop_server(server: subprocess.Popen) -> None:
    """Stop `server` for good; clients that are left are cut off."""
    for stop in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):  # fast, immediate, by force
        if server.poll() is None:
            server.send_signal(stop)
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(20)


def make_database(binaries: Path, port: int) -> None:
    address = ["-h", "127.0.0.1", "-p", str(port), "-U", "postgres"]
    run_tool(binaries / "createdb", *address, DATABASE)


def url_of(port: int) -> str:
    return f"postgres://postgres@127.0.0.1:{port}/{DATABASE}"


@contextlib.contextmanager
def temporary_cluster(binaries: Path) -> Iterator[str]:
    """Yield the URL of a database that lives as long as the block."""
    as_user = server_user()
    home = Path(tempfile.mkdtemp(prefix="registrar-pg-"))
    server = None
    try:
        make_cluster(binaries, home, **as_user)
        server, port = start_server(binaries, home, SETTINGS, cwd=home, **as_user)
        make_database(binaries, port)
        yield url_of(port)
    finally:
        if server:
            stop_server(server)
        shutil.rmtree(home, ignore_errors=True)


def run(command: list[str], database_url: str) -> int:
    """Run `command` on the database, hand it our signals, and return its exit code."""
    environment = {"SECRET_KEY": secrets.token_urlsafe(50)} | os.environ
    environment["DATABASE_URL"] = database_url
    try:
        process = subprocess.Popen(command, env=environment)
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        return 127

    def forward(number: int, _frame: FrameType | None) -> None:
        # Ctrl-C in a terminal reaches the command without us: not twice.
        if number != signal.SIGINT or not sys.stdin.isatty():
            process.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, forward)
    code = process.wait()
    return code if code >= 0 else 128 - code


def leave(number: int, _frame: FrameType | None) -> None:
    """End at once, but through every `finally`."""
    sys.exit(128 + number)


def main(arguments: list[str]) -> int:
    if len(arguments) < 2 or arguments[0] != "--":
        print("usage: with_postgres.py -- COMMAND...", file=sys.stderr)
        return 2
    command = arguments[1:]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
    if url := os.environ.get("TEST_POSTGRES_URL"):
        return run(command, url)
    binaries = find_binaries()
    if binaries is None:
        in_ci = os.environ.get("CI", "").lower() not in ("", "0", "false")
        fate = "but CI must run on it" if in_ci else "its run is skipped"
        print(f"PostgreSQL not found: {fate} (install the package postgresql)", flush=True)
        return 1 if in_ci else NOT_AVAILABLE
    try:
        with temporary_cluster(binaries) as url:
            return run(command, url)
    except Failure as failure:
        print(failure, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
