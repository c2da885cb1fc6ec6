"""Requests to the server, each sent again until it is answered."""

import random
from collections.abc import Callable
from contextlib import closing
from http.cookiejar import DefaultCookiePolicy
from threading import Event, Lock
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from .stopping import Stopped, check

CONNECT_SECONDS, READ_SECONDS = 10, 120
CONNECTIONS = 32  # that are kept; more can be open
# Seconds to wait before the second attempt, twice as long before each further one, and at most.
FIRST_WAIT, LONGEST_WAIT = 0.25, 30.0
# How often in a row a request about a job may meet an error of the server, which may be its cause.
MOST_ERRORS = 10

Answer = TypeVar("Answer")
Say = Callable[[str], object]


class TokenRefused(Exception):
    """The server accepts the runner's token no longer."""


class Refusal(Exception):
    """The server refuses a request. `status` and `body` are its answer; the text says why."""

    def __init__(self, status: int, text: str, body: Any = None) -> None:
        super().__init__(text)
        self.status = status
        self.body = body


class Interrupted(Exception):
    """No answer, or a broken one, of that status: the request can be sent again."""

    def __init__(self, text: str, status: int | None = None) -> None:
        super().__init__(text)
        self.status = status


class _TokenAuth(AuthBase):
    def __init__(self, token: str) -> None:
        self.value = f"Token {token}"

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self.value
        return request


class _Session(requests.Session):
    """Looks once at what the environment says about a host: proxies and certificates."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[tuple[str, str], Any] = {}

    def merge_environment_settings(
        self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any
    ) -> Any:
        host = urlsplit(url)[:2]
        if host not in self._known:
            self._known[host] = super().merge_environment_settings(url, proxies, None, verify, cert)
        return {**self._known[host], "stream": bool(stream)}


class Connection:
    """The server as one runner sees it. Threads may share it."""

    def __init__(self, server: str, token: str, say: Say) -> None:
        parts = urlsplit(server)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ValueError(
                f"{server!r} is not the address of a server. Enter one such as "
                "https://registrar.example.org."
            )
        self.server = server.rstrip("/")
        self.origin = (parts.scheme, parts.netloc)
        # Threads share what no answer changes: its connections are kept for all of them.
        self._session = _Session()
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=CONNECTIONS))
        # Or else an entry in ~/.netrc would take the place of the token.
        self._session.auth = _TokenAuth(token)
        self._session.headers.update(
            {
                "Accept": "application/json",
                # Files arrive as they are stored, so that a part of one can be continued.
                "Accept-Encoding": "identity",
            }
        )
        self._say = say
        self._lock = Lock()
        self._is_lost = False

    @property
    def is_private(self) -> bool:
        """Whether no other machine can read what is sent."""
        parts = urlsplit(self.server)
        return parts.scheme == "https" or parts.hostname in ("localhost", "127.0.0.1", "::1")

    def url(self, address: str) -> str:
        """Return the URL of a path below the server, or of an address that the server gave.

        The token goes nowhere else, so the host of an address does not matter.
        """
        if address.startswith("/"):
            return self.server + address
        parts = urlsplit(address)
        return urlunsplit((*self.origin, parts.path, parts.query, ""))

    def until_answered(
        self, attempt: Callable[[], Answer], stop: Event, most_errors: int | None = None
    ) -> Answer:
        """Return what `attempt` returns, called again while it is interrupted.

        Raises:
            Stopped: `stop` was set.
            Refusal: the server answered with `most_errors` errors of its own.
            Whatever else `attempt` raises.
        """
        wait, errors = FIRST_WAIT, 0
        while True:
            check(stop)
            try:
                answer = attempt()
            except Interrupted as error:
                errors = errors + 1 if error.status == 500 else 0
                if errors == most_errors:
                    raise Refusal(500, str(error)) from error
                if wait > FIRST_WAIT:  # a kept connection may have ended in silence
                    self._lost(str(error))
                if stop.wait(wait * random.uniform(0.5, 1)):  # noqa: S311  not all at the same time
                    raise Stopped from error
                wait = min(2 * wait, LONGEST_WAIT)
            else:
                self._found()
                return answer

    def ask(self, method: str, address: str, body: Any = None, **options: Any) -> Any:
        """Return what the server answers to JSON, as JSON. Raises as `send` does."""
        if body is not None:
            options["json"] = body
        with closing(self.send(method, address, **options)) as response:
            try:
                return response.json()
            except (ValueError, requests.RequestException) as error:
                raise Interrupted(f"the answer to {method} {address} is no JSON") from error

    def send(self, method: str, address: str, **options: Any) -> requests.Response:
        """Return the answer to one attempt, whose body is not read yet if the option is `stream`.

        Raises:
            Interrupted: there is none, or one that asks to come back.
            TokenRefused: 401.
            Refusal: another answer than success.
        """
        options.setdefault("timeout", (CONNECT_SECONDS, READ_SECONDS))
        options.setdefault("allow_redirects", False)
        try:
            response = self._session.request(method, self.url(address), **options)
        except requests.RequestException as error:
            raise Interrupted(f"{type(error).__name__}: {error}") from error
        if response.ok and not response.is_redirect:
            return response
        with closing(response):
            raise _failure(response, method, address)

    def _lost(self, why: str) -> None:
        with self._lock:
            if not self._is_lost:
                self._say(f"The server does not answer; trying again until it does. {why}")
            self._is_lost = True

    def _found(self) -> None:
        with self._lock:
            if self._is_lost:
                self._say("The server answers again.")
            self._is_lost = False


def _failure(response: requests.Response, method: str, address: str) -> Exception:
    """Return the exception for an answer that is no success."""
    if response.is_redirect:
        target = response.headers["Location"]
        return Refusal(
            response.status_code,
            f"The server redirects {method} {address} to {target}. Start the runner with the "
            "address that it redirects to.",
        )
    try:
        body = response.json()
    except (ValueError, requests.RequestException):
        body = None
    text = str(body.get("detail", body)) if isinstance(body, dict) else response.reason
    if response.status_code == 401:
        return TokenRefused(text)
    if response.status_code >= 500 or response.status_code == 429:
        return Interrupted(f"{response.status_code}: {text[:500]}", response.status_code)
    return Refusal(response.status_code, f"{method} {address}: {text[:2000]}", body)
