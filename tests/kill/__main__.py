"""Kills the server at random moments while clients register, then looks what is there.

`python -m tests.kill [--registrations 500] [--kills 60] [--clients 4] [--seed 1]` runs on the
database that DATABASE_URL names (PostgreSQL: a database of its own in that cluster), or else on
SQLite. It prints figures as JSON, and what is wrong; the exit code says whether anything is.
"""

import argparse
import json
import os
import random
import re
import secrets
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.sdk import serve

from .server import Server


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--registrations", type=int, default=500)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--rivals", type=int, default=5, help="times that one key is fought for")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def signed_in(token: str) -> dict[str, Any]:
    """How alice comes to the API, and with which cookies her browser comes."""
    from django.test import Client

    from assets.accounts.models import User

    browser = Client()
    browser.force_login(User.objects.get(username="alice"))
    csrf = secrets.token_hex(16)
    cookies = {name: morsel.value for name, morsel in browser.cookies.items()}
    return {
        "api": {
            "Authorization": f"Token {token}",
            "Accept": "application/json;version=0.0",
        },
        "browser": {
            "cookies": cookies | {"csrftoken": csrf},
            "headers": {"X-CSRFToken": csrf},
        },
    }


def kill_at_random(server: Server, clients: list, left: Any, options: argparse.Namespace) -> int:
    """Return how often the server was killed, at random among the registrations."""
    chance = random.Random(options.seed)
    moments = sorted(chance.randrange(options.registrations) for _ in range(options.kills))
    killed = 0
    for moment in moments:
        while options.registrations - left.count < moment and any(c.is_alive() for c in clients):
            time.sleep(0.005)
        time.sleep(chance.random() * 0.3)
        if not any(client.is_alive() for client in clients):
            break
        server.kill(chance)
        killed += 1
    return killed


def wait_until_tidy() -> int:
    """Wait until the workers that start have removed what the dead left; return what is loose."""
    from assets.common.files.pending import PendingFiles

    for _wait in range(200):
        if not (left := PendingFiles.objects.count()):
            break
        time.sleep(0.1)
    return left


def run(options: argparse.Namespace, home: Path, environment: dict, token: str) -> dict[str, Any]:
    # These need Django to be set up.
    from assets.common.files.pending import PendingFiles

    from . import truth
    from .client import Client, Left
    from .rivals import wrong_rivals

    server, left, signs = Server(home, environment), Left(options.registrations), signed_in(token)
    clients = [Client(n, options.seed, server, left, signs) for n in range(options.clients)]
    server.start()
    try:
        rivals = wrong_rivals(server.url, signs["api"], options.rivals)
        for client in clients:
            client.start()
        killed = kill_at_random(server, clients, left, options)
        for client in clients:
            client.join()
        # The last one, with whatever is under way; a start tidies up.
        server.kill(random.Random(0))
        loose = PendingFiles.objects.count()
        server.stop()
        server.start()
        still = wait_until_tidy()
        attempts = [attempt for client in clients for attempt in client.attempts]
        counts, wrong = truth.judge(attempts)
        wrong += [text for client in clients for text in client.wrong]
        wrong += rivals + truth.wrong_downloads(attempts, signs["api"])
    finally:
        server.stop()
    wrong += truth.wrong_plans() + truth.wrong_links(attempts) + truth.wrong_files()
    log = server.log.read_text(errors="replace")
    tidied = map(int, re.findall(r"Deleted (\d+) files of interrupted registrations", log))
    return {
        "database": "postgresql" if environment["DATABASE_URL"] else "sqlite",
        "registrations": len(attempts),
        "kinds": dict(sorted(_count(attempt.kind for attempt in attempts).items())),
        "kills": killed + 1,
        **dict(sorted(counts.items())),
        "files tidied at starts": sum(tidied),
        "loose after the last kill": loose,
        "loose at the end": still,
        "keys fought for": 2 * options.rivals,
        "downloads meanwhile": sum(client.downloads for client in clients),
        "left in the folder of temporary files": len(list((home / "tmp").iterdir())),
        "wrong": wrong,
    }


def _count(values: Any) -> dict[str, int]:
    found: dict[str, int] = {}
    for value in values:
        found[value] = found.get(value, 0) + 1
    return found


def main() -> int:
    options = arguments()
    url = os.environ.get("DATABASE_URL", "")
    with tempfile.TemporaryDirectory(prefix="registrar-kill-") as name:
        home = Path(name)
        (home / "tmp").mkdir()
        with serve.own_database(url if url.startswith("postgres") else "") as database_url:
            environment, tokens = serve.prepared(home, database_url)
            environment |= {"MAX_UPLOAD_SIZE": "16000000", "TMPDIR": str(home / "tmp")}
            result = run(options, home, environment, tokens["alice"])
            from django.db import connections

            connections.close_all()
    sys.stdout.write(json.dumps(result, indent=2) + "\n")
    return bool(result["wrong"])


if __name__ == "__main__":
    sys.exit(main())
