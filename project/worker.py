"""A worker process of gunicorn that manages its connections itself; see `project.server`."""

import os
import resource
import time

from gunicorn.workers.base import Worker

from .requests import Limits
from .server import Server

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
    """Runs `cfg.threads` threads that answer up to `cfg.worker_connections` connections."""

    def run(self) -> None:
        # These need Django to be set up.
        from django.conf import settings
        from django.core.signals import request_finished, request_started
        from django.db import close_old_connections

        from assets.accounts.api.authentication import admitted

        # The server does it after each request, once, in the thread that answered.
        for signal in (request_started, request_finished):
            signal.disconnect(close_old_connections)
        server = Server(
            self.wsgi,
            [listener.sock for listener in self.sockets],
            limits=Limits(settings.SMALL_BODY_SIZE),
            max_connections=raise_file_limit(self.cfg.worker_connections),
            admit=admitted,
            after_request=close_old_connections,
        )
        # Gunicorn writes here when a signal arrives.
        server.wake_by(self.PIPE[0])
        server.start(self.cfg.threads)
        while self.alive and os.getppid() == self.ppid:
            self._turn(server, 1)
        self._finish(server)

    def _turn(self, server: Server, seconds: float) -> None:
        self.notify()
        server.run_for(seconds)
        server.check()

    def _finish(self, server: Server) -> None:
        """Answer the requests in progress, for at most the time that gunicorn waits."""
        begin = time.monotonic()
        server.stop()
        while server.connections and time.monotonic() - begin < self.cfg.graceful_timeout:
            if time.monotonic() - begin > GRACE_SECONDS:
                server.close_idle()
            self._turn(server, 0.1)
        server.end()
