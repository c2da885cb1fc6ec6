"""The server's API for runners. Every call is repeated until it is answered, or stopped."""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any, TypedDict
from uuid import UUID, uuid4

import requests

from .connection import MOST_ERRORS, Answer, Connection, Interrupted, Refusal
from .stopping import check

# Seconds that the server waits for work before it answers that there is none.
CLAIM_SECONDS = 5
_CLAIM_TIMEOUT = (10, CLAIM_SECONDS + 15)
# Models are sent in parts: of what is interrupted, nothing arrives.
PART = 8 * 1024**2
_BLOCK = 1024**2
_LOST = (404, 409)


class JobLost(Exception):
    """The job is no longer this runner's: its lease ran out, or its task ended otherwise."""


class WrongContent(Exception):
    """What the server sends is not the file that it registered."""


class Claim(TypedDict):
    """What a runner says about itself when it asks for jobs."""

    jobs: int
    version: str
    engine: str
    data_root: bool


class Client:
    """What a runner asks of the server. Threads may share it."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def claim(self, claim: Claim, *, wait: int, stop: Event) -> list[dict[str, Any]]:
        """Return the jobs that are this runner's now; none after `wait` seconds without work."""
        body = {**claim, "wait": wait}
        answer = self._ask("POST", "/api/runner/claim/", body, stop, timeout=_CLAIM_TIMEOUT)
        jobs: list[dict[str, Any]] = answer["jobs"]
        return jobs

    def renew(self, jobs: Sequence[UUID], stop: Event) -> dict[UUID, dict[str, Any]]:
        """Return for each job until when it is this runner's, or why it has to stop."""
        answer = self._ask("POST", "/api/runner/renew/", {"jobs": [str(job) for job in jobs]}, stop)
        return {UUID(key): state for key, state in answer["jobs"].items()}

    def report(self, job: UUID, what: str, body: dict[str, Any], stop: Event) -> None:
        """Report ``steps``, ``finish``, ``fail`` or ``give_back``.

        Raises:
            JobLost: the job is no longer this runner's.
            Refusal: the server does not accept the report.
        """
        address = f"/api/runner/job/{job}/{what}/"
        try:
            self._until_answered(lambda: self.connection.ask("POST", address, body), stop)
        except Refusal as error:
            raise _lost(error) from error

    def _ask(self, method: str, address: str, body: Any, stop: Event, **options: Any) -> Any:
        return self.connection.until_answered(
            lambda: self.connection.ask(method, address, body, **options), stop
        )

    def _until_answered(self, attempt: Callable[[], Answer], stop: Event) -> Answer:
        """Return the answer to a request about a job, which may be what the server fails at."""
        return self.connection.until_answered(attempt, stop, MOST_ERRORS)

    # --- Files -----------------------------------------------------------------------------------

    def download(self, address: str, path: Path, checksum: str, stop: Event) -> None:
        """Write a file of the server to `path`, and continue after interruptions.

        Raises:
            WrongContent: it does not have the checksum, twice.
            Refusal: it is not there, or not for this runner.
            Stopped: `stop` was set.
        """
        for _attempt in range(2):
            self._download(address, path, stop, continued=True)
            if checksum_of(path, stop) == checksum:
                return
        raise WrongContent(
            f"The server's file {address} does not have the checksum {checksum} that is registered."
        )

    def download_stream(self, address: str, path: Path, stop: Event) -> None:
        """Write what the server makes while it sends it, from its start after interruptions.

        Raises as `download`, but nothing says which content is right.
        """
        self._download(address, path, stop, continued=False)

    def _download(self, address: str, path: Path, stop: Event, *, continued: bool) -> None:
        path.unlink(missing_ok=True)

        def attempt() -> None:
            if not continued or not path.exists():
                path.write_bytes(b"")
            self._continue(address, path, stop)

        self._until_answered(attempt, stop)

    def _continue(self, address: str, path: Path, stop: Event) -> None:
        """Append what is missing of the file at `path`."""
        has = path.stat().st_size
        # Storage elsewhere gets the request by a redirect, without the token.
        options: dict[str, Any] = {"stream": True, "allow_redirects": True}
        if has:
            options["headers"] = {"Range": f"bytes={has}-"}
        try:
            response = self.connection.send("GET", address, **options)
        except Refusal as error:
            if error.status == 416:  # it was all there
                return
            raise
        with closing(response), path.open("ab" if response.status_code == 206 else "wb") as file:
            try:
                for block in response.iter_content(_BLOCK):
                    check(stop)
                    file.write(block)
            except requests.RequestException as error:
                raise Interrupted(f"{type(error).__name__}: {error}") from error

    def download_function(self, job: UUID, path: Path, checksum: str, stop: Event) -> None:
        """Write the archive of the job's function to `path`. Raises as `download`, and JobLost."""
        try:
            self.download(f"/api/runner/job/{job}/function/", path, checksum, stop)
        except Refusal as error:
            raise _lost(error) from error

    def upload(self, job: UUID, identifier: str, path: Path, checksum: str, stop: Event) -> UUID:
        """Send a file as the model of an output, and return its key.

        Raises:
            JobLost: the job is no longer this runner's.
            Refusal: the server does not accept it.
            Stopped: `stop` was set.
        """
        key = uuid4()
        address = f"/api/runner/job/{job}/model/{key}/"
        about = {"identifier": identifier, "checksum": checksum, "size": path.stat().st_size}
        received: int | None = 0

        def attempt() -> bool:
            """Send what follows on what the server has, and return whether it has all of it."""
            nonlocal received
            if received is None:
                received = self.connection.ask("GET", address)["received"]
            offset, received = received, None  # what arrives is not known before the answer
            try:
                answer = self._send_part(address, {**about, "offset": offset}, path)
            except Refusal as error:
                if not isinstance(error.body, dict) or "received" not in error.body:
                    raise
                answer = error.body
            if "key" not in answer:
                received = answer["received"]
                if received == offset:
                    raise Interrupted(f"the server takes no more than {offset} bytes")
            return "key" in answer

        try:
            while not self._until_answered(attempt, stop):
                pass
        except Refusal as error:
            raise _lost(error) from error
        return key

    def _send_part(self, address: str, query: dict[str, Any], path: Path) -> dict[str, Any]:
        with path.open("rb") as file:
            file.seek(query["offset"])
            part = file.read(PART)
        headers = {"Content-Type": "application/octet-stream"}
        answer: dict[str, Any] = self.connection.ask(
            "PUT", address, params=query, data=part, headers=headers
        )
        return answer


def checksum_of(path: Path, stop: Event) -> str:
    """Return the sha256 of a file. Raises: Stopped if `stop` is set."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            check(stop)
            digest.update(block)
    return digest.hexdigest()


def _lost(error: Refusal) -> Exception:
    """Return the exception for the refusal of a request about a job."""
    return JobLost(str(error)) if error.status in _LOST else error
