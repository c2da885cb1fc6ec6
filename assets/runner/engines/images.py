"""Images of functions, which the container engine builds, and of which it removes the oldest."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Any

from docker.errors import APIError

from . import Limits
from .daemons import Daemon
from .limits import LastBytes, time_message

# No registry is called localhost, so that nothing of this name is ever pulled.
REPOSITORY = "localhost/registrar-function"
PAUSE = 0.1  # seconds between two looks at a build
PATIENCE = 5.0  # seconds that a build has to end


def tag(digest: str) -> str:
    """Return the name of the image of the function with this digest."""
    return f"{REPOSITORY}:{digest}"


def is_built(daemon: Daemon, digest: str) -> bool:
    """Return whether the function's image is there."""
    return bool(daemon.images(tag(digest), quiet=True))


def build(
    daemon: Daemon, function: Path, digest: str, limits: Limits, stop: Event, log: LastBytes
) -> str:
    """Build the image, write what is printed to the log, and return why that failed, or blank.

    Args:
        daemon: of this thread alone.
        function: the unpacked archive.
        digest: that of the archive.
        limits: how long it may take, and the memory of its instructions.
        stop: when it is set, the build ends.
        log: empty.
    """
    started = time.monotonic()
    failures: list[str | Exception] = []
    start = partial(
        daemon.build,
        str(function),
        tag=tag(digest),
        rm=True,
        forcerm=True,
        decode=True,
        container_limits={"memory": limits.memory, "memswap": limits.memory},
    )
    reader = Thread(target=_read, args=(start, log, failures), daemon=True)
    reader.start()
    while reader.is_alive():
        reader.join(PAUSE)
        late = time.monotonic() - started > limits.seconds
        if late or stop.is_set():
            daemon.end_streams()
            reader.join(PATIENCE)
            return time_message(limits, "Building the function") if late else "stopped"
    for failure in failures:
        if isinstance(failure, Exception):
            raise failure
        return failure
    return ""


def make_room(daemon: Daemon, size: int, but: str) -> None:
    """Remove the oldest images of functions until those that stay take at most `size` bytes.

    Layers that images share, such as that of Python, count for none of them. The image called
    `but` stays, as do those in use.
    """
    own_size = {
        _digest(image): image["Size"] - max(image["SharedSize"], 0)
        for image in daemon.df()["Images"] or ()
    }
    images = sorted(daemon.images(REPOSITORY), key=lambda image: int(image["Created"]))
    total = sum(own_size.get(_digest(image), 0) for image in images)
    for image in images:
        if total > size and but not in image["RepoTags"]:
            with suppress(APIError):  # it is in use, or another runner was faster
                for name in image["RepoTags"]:
                    daemon.remove_image(name)
                total -= own_size.get(_digest(image), 0)


def _digest(image: dict[str, Any]) -> str:
    """Return the id of an image as all answers of all daemons have it."""
    return str(image["Id"]).removeprefix("sha256:")


def _read(
    start: Callable[[], Iterator[dict[str, Any]]], log: LastBytes, failures: list[str | Exception]
) -> None:
    """Start a build and read what the daemon answers, to its end."""
    try:
        for line in start():
            log.add(line.get("stream", "").encode())
            if "error" in line:
                failures.append(line["error"].strip())
    except Exception as error:  # noqa: BLE001  # raised where the build was asked for
        failures.append(error)
