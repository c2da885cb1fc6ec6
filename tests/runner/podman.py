"""A daemon for the tests of the container engine, and the image that their functions start from.

`TEST_DOCKER_HOST` names a daemon that is there already. Otherwise Podman runs from a folder of its
own, which needs root. No registry is asked: the image is made from this machine's Python.
"""

import os
import re
import resource
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from docker import APIClient
from docker.errors import DockerException

IMAGE = "localhost/registrar-tests"
USER = str(os.getuid() or 65534)  # of functions
FILES = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 16_000)  # a mount takes one
CONFIGURATION = f"""\
[containers]
default_ulimits = ["nofile={FILES}:{FILES}", "nproc=1000:1000"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
"""
# Podman's runtime refuses machines that mount both versions of cgroups. It has mounts of its own.
START = """\
umount /sys/fs/cgroup/unified 2>/dev/null
umask 022
exec podman --root "$0/images" --runroot "$0/run" system service --time=0 "unix://$0/socket"
"""
NEEDLESS = {"config-*", "ensurepip", "idlelib", "lib2to3", "site-packages", "test", "tkinter"}


def missing() -> str:
    """Return why no daemon can be started here, or blank."""
    if os.environ.get("TEST_DOCKER_HOST"):
        return ""
    if not shutil.which("podman"):
        return "needs Podman, or a daemon in TEST_DOCKER_HOST"
    return "" if os.getuid() == 0 else "needs root for Podman, or a daemon in TEST_DOCKER_HOST"


class NoDaemon(Exception):
    """No container starts on this machine; the text says why."""


@contextmanager
def daemon() -> Iterator[str]:
    """Yield the address of a daemon that has the image. Raises: NoDaemon."""
    # Not in pytest's folder: paths of sockets are short.
    with TemporaryDirectory(prefix="podman-") as name, ExitStack() as stack:
        address = os.environ.get("TEST_DOCKER_HOST") or stack.enter_context(_podman(Path(name)))
        with closing(APIClient(base_url=address, version="auto")) as client:
            _load_image(client, Path(name))
            _try_container(client)
        yield address


@contextmanager
def _podman(folder: Path) -> Iterator[str]:
    """Yield the address of Podman's service, which has its files in the folder."""
    (folder / "containers.conf").write_text(CONFIGURATION)
    with (folder / "log").open("wb") as log:
        service = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", START, folder],
            env={**os.environ, "CONTAINERS_CONF": str(folder / "containers.conf")},
            cwd=folder,  # where it leaves an empty file when a container takes too much memory
            stdout=log,
            stderr=log,
        )
    try:
        while not (folder / "socket").exists():
            if service.poll() is not None:
                raise NoDaemon((folder / "log").read_text())
            time.sleep(0.05)
        yield f"unix://{folder}/socket"
    finally:
        service.terminate()
        service.wait()
        subprocess.run(["umount", "--quiet", folder / "images/overlay"], check=False)


def _try_container(client: APIClient) -> None:
    container = client.create_container(IMAGE, ["python3", "-c", ""], network_disabled=True)
    try:
        client.start(container)
        # Podman cannot remove one that is just ending.
        client.wait(container)
    except DockerException as error:
        raise NoDaemon(str(error)) from error
    finally:
        client.remove_container(container, force=True)


def _load_image(client: APIClient, folder: Path) -> None:
    archive = folder / "image.tar"
    with tarfile.open(archive, "w") as tar:
        _add_python(tar)
    with archive.open("rb") as data:
        client.import_image_from_data(data, repository=IMAGE, tag="latest")


def _add_python(tar: tarfile.TarFile) -> None:
    """Add this Python and the libraries that it loads, at ``/usr/bin`` and ``/usr/lib``."""
    interpreter = Path(sys.executable).resolve()
    library = Path(sysconfig.get_path("stdlib"))
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    tar.add(interpreter, "usr/bin/python3")
    tar.add(library, f"usr/lib/{version}", filter=_needed)
    loaded = [interpreter, *library.glob("lib-dynload/*.so")]
    listed = subprocess.run(["ldd", *loaded], capture_output=True, text=True, check=False).stdout
    for path in sorted(set(re.findall(r"(/\S+\.so\S*) \(", listed))):
        # Programs state the path of their loader.
        name = path[1:] if path.startswith("/lib64/") else f"usr/lib/{Path(path).name}"
        tar.add(Path(path).resolve(), name)
    for name in ("bin", "lib"):
        link = tarfile.TarInfo(name)
        link.type, link.linkname = tarfile.SYMTYPE, f"usr/{name}"
        tar.addfile(link)
    for name in ("tmp", "etc"):
        entry = tarfile.TarInfo(name)
        entry.type, entry.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(entry)


def _needed(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    path = Path(entry.name)
    left_out = any(path.match(name) for name in NEEDLESS) or path.name == "__pycache__"
    return None if left_out else entry
