"""The two databases that Registrar runs on: the embedded SQLite, or a PostgreSQL server."""

from pathlib import Path
from typing import Any

from .environment import env


def sqlite(path: Path) -> dict[str, Any]:
    """Return the settings of the embedded database; its folder is created."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        # Each thread has its own connection: opening one costs more than most requests do.
        "CONN_MAX_AGE": env.int("CONN_MAX_AGE", 60),
        "OPTIONS": {
            # WAL: readers never wait for the writer. IMMEDIATE: a writer takes its turn when its
            # transaction begins, so it cannot fail later for a lock that it must upgrade. FULL:
            # what was answered is on the disk, whatever happens to the machine. mmap and cache:
            # reads come from the system's memory, and from 16 MB of each connection.
            # recursive_triggers: a row that REPLACE removes fires the trigger that refuses it.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            " PRAGMA mmap_size=2147418112; PRAGMA cache_size=-16000;"
            " PRAGMA recursive_triggers=ON;",
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
        },
    }


def server(*, serving: bool) -> dict[str, Any]:
    """Return the settings of the server that `DATABASE_URL` names.

    Only a process that answers requests (`serving`) has limits and a pool: a migration may take as
    long as it needs.
    """
    database: dict[str, Any] = env.dj_db_url("DATABASE_URL")
    if database["ENGINE"] == "django.db.backends.postgresql":
        database["ENGINE"] = "assets.common.db.postgresql"
    database |= {"CONN_MAX_AGE": env.int("CONN_MAX_AGE", 60), "CONN_HEALTH_CHECKS": True}
    options: dict[str, Any] = database.setdefault("OPTIONS", {})
    pool_size = env.int("DATABASE_POOL_SIZE", 0)
    if _is_tuned() and (pool_size or database["CONN_MAX_AGE"]):
        # What is sent a second time is prepared. An external pooler may send it to a server that
        # does not know it, and a connection of one request would prepare in vain.
        options["prepare_threshold"] = 1
    parameters = _parameters()
    if not serving:
        return database
    if parameters:
        # The last one wins, so the options of DATABASE_URL do.
        options["options"] = " ".join([*parameters, options.get("options", "")]).rstrip()
    if pool_size:
        # Threads share the connections of their process and return them after each request.
        database["CONN_MAX_AGE"] = 0
        options["pool"] = {"min_size": 1, "max_size": pool_size, "timeout": 10}
    return database


def _parameters() -> list[str]:
    """Return PostgreSQL's command-line options for a connection that serves requests."""
    # In seconds; 0 leaves it to the server. Requests must end, so that none waits for ever.
    limits = {
        "statement_timeout": env.int("DATABASE_STATEMENT_TIMEOUT", 60),
        "lock_timeout": env.int("DATABASE_LOCK_TIMEOUT", 30),
        "idle_in_transaction_session_timeout": env.int("DATABASE_IDLE_TIMEOUT", 60),
    }
    # PostgreSQL's defaults suit spinning disks: it would read a whole table rather than look up
    # two hundred rows. None of our statements runs long enough for compiling it to pay off, nor
    # does another plan for each number of keys.
    tuning = ["random_page_cost=1.1", "jit=off", "plan_cache_mode=force_generic_plan"]
    return [f"-c {name}" for name in tuning if _is_tuned()] + [
        f"-c {name}={limit}s" for name, limit in limits.items() if limit
    ]


def _is_tuned() -> bool:
    return env.bool("DATABASE_TUNING", True)
