"""Registrar as people meet it: gunicorn with collected static files and the demo, for one process.

The tests of one process share it, so each registers under names of its own and asserts nothing
about how much there is.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import requests

from assets.demo.hospitals import PASSWORD
from tests.sdk.peers import ROOT
from tests.sdk.serve import gunicorn, own_database, settings

PATIENCE = 20
# No page that is looked at needs the static files of these.
OF_OTHERS = ["admin", "rest_framework", "redoc", "oauth2-redirect*"]
PREPARE = f"""
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("load_demo", verbosity=0)
call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns={OF_OTHERS!r})
"""


class Api:
    """What the API says to one user."""

    def __init__(self, url: str, user: str) -> None:
        self.url = f"{url}/api"
        self.session = requests.Session()
        self.session.headers["Accept"] = "application/json;version=0.0"
        token = self.post("/api-token-auth/", {"username": user, "password": PASSWORD})["token"]
        self.session.headers["Authorization"] = f"Token {token}"

    def get(self, path: str, **params: str) -> Any:
        response = self.session.get(f"{self.url}{path}", params=params, timeout=PATIENCE)
        response.raise_for_status()
        return response.json()

    def post(self, path: str, values: dict) -> Any:
        response = self.session.post(f"{self.url}{path}", json=values, timeout=PATIENCE)
        response.raise_for_status()
        return response.json()

    def download(self, path: str) -> bytes:
        response = self.session.get(f"{self.url}{path}", timeout=PATIENCE)
        response.raise_for_status()
        return response.content

    def all(self, path: str, **params: str) -> list[dict]:
        return self.get(path, page_size="100", **params)["results"]

    def named(self, path: str, name: str) -> dict:
        """Return the one asset of this name."""
        (found,) = [row for row in self.all(path, name=name) if row["name"] == name]
        return self.get(f"{path}{found['key']}/")


class Site:
    """A server that answers at `url`."""

    def __init__(self, url: str, log: Path, environment: Mapping[str, str]) -> None:
        # With what a process of its own works on the site's database.
        self.url, self.environment = url, environment
        self._log, self._read = log, 0
        self.api = cache(lambda user: Api(url, user))
        self.cookies = cache(self._cookies)

    def _cookies(self, user: str) -> list[dict[str, str]]:
        """Sign in as a browser does; return the cookies that it would have."""
        browser = requests.Session()
        form = browser.get(f"{self.url}/sign-in/", timeout=PATIENCE).text
        secret = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)[1]
        values = {"username": user, "password": PASSWORD, "csrfmiddlewaretoken": secret}
        answer = browser.post(
            f"{self.url}/sign-in/", values, timeout=PATIENCE, allow_redirects=False
        )
        assert answer.status_code == 302, answer.text
        return [
            {"name": cookie.name, "value": cookie.value, "url": self.url}
            for cookie in browser.cookies
        ]

    def news(self) -> str:
        """Return what the server has logged since the last call."""
        text = self._log.read_text(errors="replace")
        news, self._read = text[self._read :], len(text)
        return news


@contextmanager
def served(folder: Path) -> Iterator[Site]:
    url = os.environ.get("DATABASE_URL", "")
    with own_database(url if url.startswith("postgres") else "") as database_url:
        environment = settings(folder, database_url)
        subprocess.run(
            [sys.executable, "-c", PREPARE], cwd=ROOT, env=environment, check=True, timeout=240
        )
        log = folder / "server.log"
        with gunicorn(log, environment) as address:
            yield Site(address, log, environment)
