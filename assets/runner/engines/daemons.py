"""The daemons of Docker and Podman on this machine, and a client of one."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from docker import APIClient
from docker.utils import kwargs_from_env
from requests import Response


class Daemon(APIClient):
    """A client of a daemon, for one thread; it closes with its ``with`` block.

    Unlike its base, it closes the answers that it streams: builds, and output of containers.
    """

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**{"version": "auto", **arguments})
        self._streams: list[Response] = []
        self.hooks["response"].append(self._hold)

    def end_streams(self) -> None:
        """End all answers that are being read, in whatever thread. A daemon ends such a build."""
        for stream in self._streams:
            with suppress(OSError, RuntimeError, ValueError):  # it ended by itself
                stream.raw.shutdown()

    def close(self) -> None:
        """Close the streamed answers and all connections."""
        for stream in self._streams:
            stream.close()
        super().close()

    def _hold(self, response: Response, **request: Any) -> None:
        if request.get("stream"):
            self._streams.append(response)


def addresses(host: str = "") -> Iterator[dict[str, Any]]:
    """Yield the arguments of `Daemon` for each that may be there.

    That is `host`, or the one which DOCKER_HOST names, or else each of the usual sockets.
    """
    if host := host or os.environ.get("DOCKER_HOST", ""):
        yield kwargs_from_env({**os.environ, "DOCKER_HOST": host})  # with its certificates
        return
    user = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    for path in (
        Path("/var/run/docker.sock"),
        user / "docker.sock",
        user / "podman/podman.sock",
        Path("/run/podman/podman.sock"),
    ):
        if path.is_socket():
            yield {"base_url": f"unix://{path}"}
