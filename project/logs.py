"""How Django and gunicorn log: one line a record on standard error, as text or as JSON."""

from typing import Any

FORMATTERS: dict[str, dict[str, Any]] = {
    "text": {
        "()": "assets.common.ops.logging.TextFormatter",
        "format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s]: %(message)s",
    },
    "json": {"()": "assets.common.ops.logging.JSONFormatter"},
}


def of_django(*, level: str, format: str, access_log: bool) -> dict[str, Any]:
    """Return Django's setting `LOGGING`; `access_log` adds a line for each request."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": FORMATTERS,
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": format}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {"registrar.access": {"level": "INFO" if access_log else "WARNING"}},
    }


def of_gunicorn(*, level: str, format: str) -> dict[str, Any]:
    """Return gunicorn's `logconfig_dict`: it logs what happens to workers, and no requests."""
    return {
        "formatters": FORMATTERS,
        "handlers": {"error_console": {"class": "logging.StreamHandler", "formatter": format}},
        "root": {"handlers": [], "level": level},
        "loggers": {
            "gunicorn.error": {"handlers": ["error_console"], "level": level, "propagate": False},
            "gunicorn.access": {"handlers": [], "propagate": False},
        },
    }
