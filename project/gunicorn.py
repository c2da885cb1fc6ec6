"""How gunicorn serves Registrar: `gunicorn -c project/gunicorn.py project.wsgi:application`.

Everything that differs from one machine to another comes from the environment.
"""

import os
from pathlib import Path

host = os.environ.get("HOST", "127.0.0.1")
port = os.environ.get("PORT", "8000")
bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

# Threads wait for uploads and downloads at little cost; processes share out the computing.
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))
preload_app = False
# A gthread worker gives its sign of life beside its requests: a 1 GB upload may take as long as
# it takes, and only a worker that hangs as a whole is replaced.
timeout = 120
graceful_timeout = 30
keepalive = 5
# The sign of life is a file: on a slow disk, a busy worker would look like one that hangs.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
# Gunicorn's own default lets everybody read what it writes.
umask = 0o077

# Lists are filtered by keys in the URL: allow as many as gunicorn can (about 200).
limit_request_line = 8190
# Proxies that may say that the client came by https.
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1")

loglevel = os.environ.get("LOG_LEVEL", "warning").lower()
accesslog = "-" if os.environ.get("ACCESS_LOG", "").lower() in ("1", "true", "yes", "on") else None
# Gunicorn's remote control writes into the home directory, and nobody here needs it.
control_socket_disable = True


def when_ready(server):
    """Tell the address once it answers, not before: the port may be taken."""
    print(f"\nRegistrar serves http://{bind} (Ctrl-C stops it)", flush=True)
