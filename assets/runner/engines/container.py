"""Functions in containers of Docker or Podman, through the API that both answer.

The daemon has to run on the runner's machine: containers see the job's folders at their own paths.
"""

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

from docker.errors import APIError, DockerException, ImageNotFound
from docker.types import LogConfig, Mount
from requests import RequestException

from . import (
    BUILD_ERROR,
    EXECUTION_ERROR,
    INTERNAL_ERROR,
    EngineError,
    EngineOptions,
    JobFolder,
    Limits,
    Outcome,
)
from .daemons import Daemon, addresses
from .images import build, is_built, make_room, tag
from .limits import LastBytes, exceeded, exit_message, memory_message

LABEL = "registrar.runner"  # who started a container: the machine and the process
PROCESSES = 1024  # of one function at once
TEMPORARY = 2**26  # bytes below /tmp, for programs that ignore TMPDIR
NO_ONE = 65534  # the user of functions if the runner is root, which it should not be
KILLED = 128 + signal.SIGKILL
PAUSE = 0.2  # seconds between two looks at what a function uses

LOST = (DockerException, RequestException)


def create(options: EngineOptions) -> "ContainerEngine":
    """Return the engine with these options."""
    return ContainerEngine(options)


class ContainerEngine:
    """Builds an image for each function, and runs each job in a container of its own."""

    name = "container"

    def __init__(self, options: EngineOptions) -> None:
        self._host = options.docker_host
        self._images_size = options.cache_size
        self._address: dict[str, Any] = {}
        self._security = ["no-new-privileges"]
        user, group = (os.getuid(), os.getgid()) if os.getuid() else (NO_ONE, NO_ONE)
        self._user = f"{user}:{group}"
        self._building: dict[str, Lock] = {}

    def check(self) -> None:
        """Find the daemon, and remove what killed runners left. Raises: EngineError."""
        problems = []
        for arguments in addresses(self._host):
            try:
                with Daemon(**arguments) as daemon:
                    self._adapt(daemon.info())
                    _remove_left(daemon)
                    self._address = {**arguments, "version": daemon.api_version}
                return
            except LOST as error:
                problems.append(f"{arguments['base_url']}: {error}")
        raise EngineError(
            "Neither Docker nor Podman answers. Install one of them, start its service and let the "
            "user of the runner use its socket, or name another one by --docker-host. Tried "
            + "; ".join(problems or ["no socket, for there is none"])
        )

    def build(self, function: Path, digest: str, limits: Limits, stop: Event) -> Outcome:
        """Build the image of the function, unless it is there or another job builds it."""
        building = self._building.setdefault(digest, Lock())
        while not building.acquire(timeout=PAUSE):
            if stop.is_set():
                return Outcome(INTERNAL_ERROR)
        log = LastBytes(limits.log_bytes)
        try:
            with Daemon(**self._address) as daemon:
                if is_built(daemon, digest):
                    return Outcome()
                if why := build(daemon, function, digest, limits, stop, log):
                    return Outcome(BUILD_ERROR, log.value(why))
                make_room(daemon, self._images_size, tag(digest))
        except LOST as error:
            return self._failed(error)
        finally:
            building.release()
        return Outcome()

    def run(self, folder: JobFolder, digest: str, limits: Limits, stop: Event) -> Outcome:
        """Run the job in a new container of the function's image."""
        if self._user == f"{NO_ONE}:{NO_ONE}":
            for path in (folder.work, folder.outputs):
                os.chown(path, NO_ONE, NO_ONE)
        for is_last in (False, True):
            outcome = self.build(folder.function, digest, limits, stop)
            if outcome.error_type or stop.is_set():
                break
            try:
                return self._run_built(folder, digest, limits, stop)
            except ImageNotFound as error:  # the build of another function made room for its own
                if is_last:
                    return self._failed(error)
            except LOST as error:
                return self._failed(error)
        return outcome

    def _run_built(self, folder: JobFolder, digest: str, limits: Limits, stop: Event) -> Outcome:
        """Run the job in a new container of the image, which is removed afterwards."""
        with Daemon(**self._address) as daemon:
            container = self._create(daemon, folder, digest, limits)
            try:
                return _run(daemon, container, folder, limits, stop)
            finally:
                with suppress(*LOST):  # the next start of a runner removes it
                    daemon.remove_container(container, force=True, v=True)

    def close(self) -> None:
        """Do nothing: connections are closed after each use, and images stay for the next start."""

    def _failed(self, error: Exception) -> Outcome:
        """Return the outcome of one job that failed. Raises: EngineError if no other can run."""
        try:
            with Daemon(**self._address) as daemon:
                daemon.ping()
        except LOST:
            raise EngineError(f"Docker or Podman no longer answers: {error}") from error
        return Outcome(INTERNAL_ERROR, f"The container engine failed: {error}\n".encode())

    def _adapt(self, daemon: dict[str, Any]) -> None:
        """Do as a daemon that describes itself so needs it. Raises: EngineError."""
        if not daemon.get("MemoryLimit", True):
            raise EngineError(
                "Docker or Podman cannot limit the memory of containers on this machine. Use "
                "version 2 of cgroups, and let the daemon's user have its memory controller "
                "(Delegate=memory pids in systemd)."
            )
        features = daemon["SecurityOptions"] or []
        # Docker says it in one place, and Podman in the other.
        if daemon.get("Rootless") or any("rootless" in feature for feature in features):
            # Root in there is the runner's own user out here, and any other has no access.
            self._user = "0:0"
        if any("selinux" in feature for feature in features):
            # The other way is to write new labels on the organisation's data.
            self._security = [*self._security, "label=disable"]

    def _create(self, daemon: Daemon, folder: JobFolder, digest: str, limits: Limits) -> str:
        """Return the id of a new container, without network, that writes to the job's folders."""
        to_read = sorted({folder.path, *folder.readable})
        to_write = [folder.work, folder.outputs]
        mounts = [
            Mount(str(path), str(path), type="bind", read_only=path not in to_write)
            for path in [*to_read, *to_write]
        ]
        host = daemon.create_host_config(
            network_mode="none",
            read_only=True,
            mounts=mounts,
            tmpfs={"/tmp": f"size={TEMPORARY},mode=1777"},  # noqa: S108  # in the container
            cap_drop=["ALL"],
            security_opt=self._security,
            mem_limit=limits.memory,
            memswap_limit=limits.memory,
            shm_size=limits.memory // 2,
            pids_limit=PROCESSES,
            log_config=LogConfig(type="none"),  # read from the container itself, or 2 GB stay
        )
        _link_code(daemon, folder, digest)
        created = daemon.create_container(
            tag(digest),
            [f"@{folder.arguments}"],
            user=self._user,
            working_dir=str(folder.work),
            environment={
                "HOME": str(folder.work),
                "TMPDIR": str(folder.work),
                "PYTHONUNBUFFERED": "1",  # what was printed before it is killed is in the log
            },
            labels={LABEL: _this_process()},
            host_config=host,
        )
        return str(created["Id"])


def _link_code(daemon: Daemon, folder: JobFolder, digest: str) -> None:
    """Link what the archive and the image's WORKDIR both have from the job's working folder.

    A function works where it may write (substratools needs it to), and finds its code there.
    """
    place = daemon.inspect_image(tag(digest))["Config"].get("WorkingDir") or "/"
    for path in folder.function.iterdir():
        with suppress(FileExistsError):  # the second time
            (folder.work / path.name).symlink_to(Path(place, path.name))


def _run(daemon: Daemon, container: str, folder: JobFolder, limits: Limits, stop: Event) -> Outcome:
    """Start the container and return how it ended; it is no longer running then."""
    log = LastBytes(limits.log_bytes)
    started = time.monotonic()
    try:
        output = daemon.attach(container, stream=True)
        daemon.start(container)
    except APIError as error:  # such as an interpreter that the image does not have
        return Outcome(EXECUTION_ERROR, log.value(f"It does not start: {error.explanation}"))
    reader = Thread(target=_copy, args=(output, log), daemon=True)
    reader.start()
    why = ""
    while not why and not stop.is_set():
        if not reader.is_alive():
            # The output can end before the function does.
            if not daemon.inspect_container(container)["State"]["Running"]:
                break
            time.sleep(PAUSE / 10)
        reader.join(PAUSE)
        why = exceeded(folder.path, limits, started)
    else:
        with suppress(APIError):  # it ended just now
            daemon.kill(container)
        reader.join(PAUSE * 10)
    return _outcome(daemon.inspect_container(container)["State"], why, limits, log)


def _outcome(state: dict[str, Any], why: str, limits: Limits, log: LastBytes) -> Outcome:
    """Return the outcome of a container that ended in this state, or was ended because of `why`."""
    code = state["ExitCode"]
    if not why and code:
        why = memory_message(limits) if state.get("OOMKilled") else exit_message(code)
        if code == KILLED and not state.get("OOMKilled"):  # not every system says what killed it
            why += f" Perhaps: {memory_message(limits)}"
    return Outcome(EXECUTION_ERROR if why else "", log.value(why))


def _copy(output: Iterator[bytes], log: LastBytes) -> None:
    """Copy all output to the log."""
    for chunk in output:
        log.add(chunk)


def _this_process() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _remove_left(daemon: Daemon) -> None:
    """Remove the containers of this machine's runners that no longer run."""
    for container in daemon.containers(all=True, filters={"label": LABEL}):
        machine, _, pid = container["Labels"][LABEL].rpartition(":")
        if machine == socket.gethostname() and not Path("/proc", pid).exists():
            with suppress(APIError):  # it is ending; the next start removes it
                daemon.remove_container(container["Id"], force=True, v=True)
