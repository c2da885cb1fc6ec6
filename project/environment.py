"""The environment that settings are read from, and the secret key of a machine that sets none."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key
from environs import FileAwareEnv


class Env(FileAwareEnv):
    """The environment: `NAME_FILE` names a file that holds `NAME`; an empty value is not set."""

    def _get_value(self, env_key: str, default: Any) -> Any:
        value = super()._get_value(env_key, default)
        return default if isinstance(value, str) and not value.strip() else value


env = Env(strip_whitespace=True)


def load_or_create_secret_key(path: Path) -> str:
    """Return the secret key stored at `path`, which is created on the first start.

    Of several processes that start at once, one creates the file and all return its key: the key
    is written to a temporary file, which gets its name once it is complete. Only the user that
    runs the server can read it.

    Raises: ImproperlyConfigured if the file is empty.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".secret_key-") as file:
            file.write(get_random_secret_key())
            file.flush()
            os.fsync(file.fileno())
            with suppress(FileExistsError):
                os.link(file.name, path)
    secret = path.read_text(encoding="ascii").strip()
    if not secret:
        raise ImproperlyConfigured(f"{path} is empty. Remove it, and the next start creates a key.")
    return secret
