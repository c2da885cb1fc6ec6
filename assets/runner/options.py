"""The options of the program, and the values that they take."""

import argparse
import re
from pathlib import Path

from .engines import NAMES

_SIZE_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_TIME_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
# What the server takes in one request. Start several runners for more.
MOST_JOBS = 100
_TOKEN = re.compile(r"[0-9a-f]{40}")


def size(text: str) -> int:
    """Return the bytes of a size such as ``500M`` or ``2G``. Raises: ArgumentTypeError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    if found is None or not (value := int(float(found[1]) * _SIZE_UNITS[found[2].upper()])):
        raise argparse.ArgumentTypeError(f"{text!r} is no size. Enter one such as 500M or 2G.")
    return value


def seconds(text: str) -> float:
    """Return the seconds of a time such as ``90``, ``15m`` or ``8h``. Raises: ArgumentTypeError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text.strip())
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time. Enter one such as 90s, 15m or 8h.")
    return float(found[1]) * _TIME_UNITS[found[2]]


def count(text: str) -> int:
    """Return a number of jobs, from 1 to `MOST_JOBS`. Raises: ArgumentTypeError."""
    if not re.fullmatch(r"[1-9]\d{0,3}", text) or int(text) > MOST_JOBS:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no number of jobs. Enter one from 1 to {MOST_JOBS}."
        )
    return int(text)


def folder(text: str) -> Path:
    """Return the folder of that name, which exists. Raises: ArgumentTypeError."""
    path = Path(text).expanduser()
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is not a folder.")
    return path


def token_in(text: str) -> str:
    """Return the token in the file of that name. Raises: ArgumentTypeError."""
    try:
        token = Path(text).expanduser().read_text(encoding="ascii", errors="replace").strip()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"the file {text!r} cannot be read: {error}") from error
    if not _TOKEN.fullmatch(token):
        raise argparse.ArgumentTypeError(
            f"the file {text!r} has no runner's token, which is 40 characters from 0 to f. Create "
            "a runner on the page Runners of your organisation, and put its token in the file."
        )
    return token


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the program to a parser."""
    add = parser.add_argument
    add("--server", required=True, metavar="URL", help="the server to work for")
    add(
        "--token-file",
        required=True,
        type=token_in,
        dest="token",
        metavar="FILE",
        help="a file with the runner's token",
    )
    add("--engine", choices=NAMES, default="process", help="how functions run; by default: process")
    add(
        "--jobs", type=count, default=1, metavar="N", help="how many jobs run at once; 1 by default"
    )
    add(
        "--data-root",
        type=folder,
        metavar="FOLDER",
        help="the folder with the data samples that stay on this machine",
    )
    add(
        "--folder",
        type=Path,
        default=Path("~/.cache/registrar-runner"),
        help="where the runner keeps files; by default: %(default)s",
    )
    _add_limits(parser)
    _add_engine_options(parser)
    add(
        "--grace",
        type=seconds,
        default=60.0,
        metavar="TIME",
        help="what running jobs get when the runner is stopped; 60 seconds by default",
    )
    add("--once", action="store_true", help="end when there is no more work")


def _add_limits(parser: argparse.ArgumentParser) -> None:
    limits = (
        ("--cache-size", size, "20G", "the disk that files, samples and environments may take"),
        ("--time-limit", seconds, "24h", "the time that a job may take"),
        ("--memory-limit", size, "4G", "the memory that a job may take"),
        ("--output-limit", size, "10G", "the disk that a job may take"),
    )
    for name, kind, default, text in limits:
        metavar = "TIME" if kind is seconds else "SIZE"
        text = f"{text}; {default} by default"
        parser.add_argument(name, type=kind, default=default, metavar=metavar, help=text)


def _add_engine_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--trust-functions",
        action="store_true",
        help="run functions without a sandbox, if there is none",
    )
    add("--docker-host", default="", metavar="URL", help="where Docker or Podman listens")
    add("--dask", default="", metavar="ADDRESS", help="the address of Dask's scheduler")
    add("--dask-engine", choices=NAMES[:2], default=NAMES[0], help="what Dask's workers use")
