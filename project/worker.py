"""A worker process of gunicorn whose connections waitress manages; see `project.server`."""

import os
import resource
import time
from types import FrameType
from typing import Any

from gunicorn.workers.base import Worker
from waitress.adjustments import Adjustments
from waitress.task import ThreadedTaskDispatcher

from .server import ADJUSTMENTS, Server, wait_for

# The socket, and the buffers of what it receives and sends when they are on the disk.
FILES_PER_CONNECTION = 3
OTHER_FILES = 256
# How long a stopping worker waits for requests that are already on their way.
GRACE_SECONDS = 2


def raise_file_limit(connections: int) -> int:
    """Return how many connections this process may have, after raising its limit of open files.

    The result is smaller than `connections` where the system does not permit enough files.
    """
    wanted = connections * FILES_PER_CONNECTION + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    else:
        soft = wanted
    return max(16, (min(soft, wanted) - OTHER_FILES) // FILES_PER_CONNECTION)


class ConnectionsWorker(Worker):
    """Runs `cfg.threads` threads, and one that waits for `cfg.worker_connections` connections."""

    servers: list[Server]

    def run(self) -> None:
        # These need Django to be set up.
        from django.conf import settings
        from django.db import close_old_connections

        from assets.accounts.api.authentication import admitted

        max_connections = raise_file_limit(self.cfg.worker_connections)
        adjustments = Adjustments(**ADJUSTMENTS, connection_limit=max_connections + OTHER_FILES)
        adjustments.small_body = settings.SMALL_BODY_SIZE
        adjustments.max_channels = max_connections
        dispatcher = ThreadedTaskDispatcher()
        dispatcher.set_thread_count(self.cfg.threads)
        self.map: dict[int, Any] = {}
        self.servers = [
            Server(
                self.wsgi,
                self.map,
                _sock=listener.sock,
                dispatcher=dispatcher,
                adj=adjustments,
                sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
                bind_socket=False,
                admit=admitted,
                after_request=close_old_connections,
            )
            for listener in self.sockets
        ]
        while self.alive and os.getppid() == self.ppid:
            self.notify()
            wait_for(self.map, 1)
        self._finish()
        dispatcher.shutdown(timeout=1)

    def _finish(self) -> None:
        """Answer the requests in progress, for at most the time that gunicorn waits."""
        begin = time.monotonic()
        for server in self.servers:
            server.stop()
        while time.monotonic() - begin < self.cfg.graceful_timeout:
            self.notify()
            for server in self.servers:
                server.maintenance(time.time())
                if time.monotonic() - begin > GRACE_SECONDS:
                    server.close_idle()
            if not any(server.active_channels for server in self.servers):
                break
            wait_for(self.map, 0.1)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        for server in getattr(self, "servers", ()):
            server.pull_trigger()
