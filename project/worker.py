"""A worker process of gunicorn whose connections waitress has; see `project.server`."""

import os
import resource
import time
from types import FrameType
from typing import Any

from gunicorn.workers.base import Worker
from waitress.adjustments import Adjustments
from waitress.task import ThreadedTaskDispatcher

from .server import ADJUSTMENTS, Server, wait_for

# A connection has up to three: the socket, and what it receives and sends if that is on the disk.
FILES_PER_CONNECTION = 3
OTHER_FILES = 256
# Seconds for which a stopping worker keeps connections for a request that is on its way already.
KEPT_SECONDS = 2


def room_for(connections: int) -> int:
    """Allow this process the files of `connections`; return how many connections it may have."""
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
        # Django is set up by now.
        from django.conf import settings
        from django.db import close_old_connections

        from assets.accounts.api.authentication import admitted

        most = room_for(self.cfg.worker_connections)
        adjustments = Adjustments(**ADJUSTMENTS, connection_limit=most + OTHER_FILES)
        adjustments.small_body, adjustments.most_channels = settings.SMALL_BODY_SIZE, most
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
        self._end()
        dispatcher.shutdown(timeout=1)

    def _end(self) -> None:
        """Answer what is under way, for as long as gunicorn waits."""
        begin = time.monotonic()
        for server in self.servers:
            server.stop()
        while time.monotonic() - begin < self.cfg.graceful_timeout:
            self.notify()
            for server in self.servers:
                server.maintenance(time.time())
                if time.monotonic() - begin > KEPT_SECONDS:
                    server.close_idle()
            if not any(server.active_channels for server in self.servers):
                break
            wait_for(self.map, 0.1)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        for server in getattr(self, "servers", ()):
            server.pull_trigger()
