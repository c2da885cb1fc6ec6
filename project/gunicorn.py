"""How gunicorn serves Registrar: `gunicorn -c project/gunicorn.py project.wsgi:application`.

Everything that differs from one machine to another comes from the environment.
"""

import gc
import os
import select
import shutil
import tempfile
import threading
from pathlib import Path

from project import __version__, logs


def setting(name, default):
    """Return an environment variable, or the default where it is not set, or empty."""
    return os.environ.get(name, "").strip() or default


host = setting("HOST", "127.0.0.1")
port = setting("PORT", "8000")
address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
bind = [address]
metrics_port = setting("METRICS_PORT", "0")
if metrics_port != "0":
    bind.append(setting("METRICS_HOST", "127.0.0.1") + f":{metrics_port}")

# Processes share the computing. Clients that send or read slowly occupy none of their threads.
# Without Linux, for development, each of them does.
worker_class = "project.worker.ConnectionsWorker" if hasattr(select, "epoll") else "gthread"
workers = int(setting("WEB_CONCURRENCY", "2"))
threads = int(setting("WEB_THREADS", "4"))
# Of each process; one more closes the connection that has been idle longest.
worker_connections = int(setting("WEB_CONNECTIONS", "2000"))
# `on_starting` does that, once there is a place for metrics.
preload_app = False
# A worker sends its heartbeat beside its requests: only a worker that hangs as a whole is replaced.
timeout = 120
# A worker that is asked to stop accepts no new request and finishes those in progress.
graceful_timeout = int(setting("GRACEFUL_TIMEOUT", "30"))
# The heartbeat is a file: on a slow disk, a busy worker would look like one that hangs.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
# With gunicorn's own default, every user of the machine could read what it writes.
umask = 0o077

loglevel = setting("LOG_LEVEL", "warning").lower()
# Registrar itself writes one line a request (ACCESS_LOG).
logconfig_dict = logs.of_gunicorn(level=loglevel.upper(), format=setting("LOG_FORMAT", "text"))
# Gunicorn's remote control writes into the home directory. Registrar does not use it.
control_socket_disable = True


def on_starting(server):
    """Import the application once: the workers begin as copies of this process.

    They share the memory that none of them writes to. Before that, create the folder in which they
    count for Prometheus: a new one at each start.
    """
    if metrics_port != "0":
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(
            prefix="registrar-metrics-", dir=worker_tmp_dir
        )
    gc.disable()  # to import makes no garbage
    try:
        server.app.wsgi()
    except BaseException:
        on_exit(server)
        raise
    finally:
        gc.freeze()
        gc.enable()


def processors_to_bind():
    """Return the processors to bind workers to, one each; none if they may run anywhere.

    A worker computes on one processor at a time. When the system moves it to another one after a
    wait, its data in the caches stays behind: requests took twice the CPU time where this was
    measured. Other programs may be bound to the same processors, so the operator decides.
    """
    wanted = setting("PIN_WORKERS", "").lower() in ("1", "true", "yes", "on")
    return sorted(os.sched_getaffinity(0)) if wanted and hasattr(os, "sched_getaffinity") else []


PROCESSORS = processors_to_bind()


def pre_fork(server, worker):
    """Choose the processor that the fewest workers have."""
    taken = [living.processor for living in server.WORKERS.values()]
    worker.processor = min(PROCESSORS, key=taken.count, default=None)


def post_fork(server, worker):
    """Bind the worker to it, and with it the threads that it will have."""
    if worker.processor is not None:
        os.sched_setaffinity(0, {worker.processor})


def post_worker_init(worker):
    """Let Python collect garbage after 20,000 new objects rather than 700, and only among those.

    A batch of tasks is a million objects, none of them garbage. Searching them repeatedly would
    take a quarter of the time of registering it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
    # Also when this worker replaces one that was killed.
    from assets.integrity import tidy_up_at_start

    threading.Thread(target=tidy_up_at_start, name="tidying", daemon=True).start()


def when_ready(server):
    """Print the version and the address once it answers, not before: the port may be taken."""
    print(f"\nRegistrar {__version__} serves http://{address} (Ctrl-C stops it)", flush=True)


def child_exit(server, worker):
    """Drop the gauges of a worker that has ended; its counters stay."""
    if metrics_port != "0":
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)


def on_exit(server):
    """Remove that folder."""
    if metrics_port != "0":
        shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)
