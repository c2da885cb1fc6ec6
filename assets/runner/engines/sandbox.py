"""The sandbox of the process engine: bubblewrap, which shows a process only what it may see."""

import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from . import EngineError, staging

PROGRAM = "bwrap"
OLDEST = (0, 8)  # the first that can forbid further namespaces
WALLS = (
    *("--unshare-all", "--unshare-user", "--disable-userns", "--cap-drop", "ALL"),
    *("--uid", "1000", "--gid", "1000", "--hostname", "function"),
    *("--new-session", "--die-with-parent"),
)
# To read and execute; no file there is secret.
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SETTINGS = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime")
SHARED_MEMORY = "/dev/shm"  # noqa: S108 - the sandbox's own
NETWORK_SETTINGS = (
    *("/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/gai.conf"),
    *("/etc/ssl", "/etc/pki", "/etc/ca-certificates"),
)
MANY = 100  # paths in one folder; one by one, more take longer than binding them together
REMEDY = (
    "Functions run without a sandbox only if you start the runner with --trust-functions: then "
    "they can read and change what the runner can."
)


def check_sandbox() -> None:
    """Return if functions can run in a sandbox on this machine.

    Raises:
        EngineError: they cannot.
    """
    if not shutil.which(PROGRAM):
        raise EngineError(
            "The process engine runs functions in a sandbox by bubblewrap, which is not "
            f"installed. Install the package bubblewrap. {REMEDY}"
        )
    version = _run([PROGRAM, "--version"]).stdout.strip()
    numbers = tuple(int(number) for number in re.findall(r"\d+", version))
    if numbers < OLDEST:
        raise EngineError(
            f"The process engine needs bubblewrap 0.8 or newer; this is {version}. Install a "
            f"newer one, which Debian 12 and Ubuntu 24.04 have. {REMEDY}"
        )
    command = sandboxed(["/bin/true"], work=Path("/usr"), readable=(), writable=(), memory=2**20)
    trial = _run(command)
    if trial.returncode:
        raise EngineError(
            f"bubblewrap cannot make a sandbox on this machine: {trial.stderr.strip()}. Let users "
            f"make namespaces (kernel.unprivileged_userns_clone, AppArmor's limits). {REMEDY}"
        )


def sandboxed(
    command: Sequence[str],
    *,
    work: Path,
    readable: Sequence[Path],
    writable: Sequence[Path],
    memory: int,
    network: bool = False,
    stage: Path | None = None,
) -> list[str]:
    """Return the command that runs `command` in a sandbox.

    It sees the system's programs and the paths given, nothing else: no other process, no network,
    no setting or home of the machine. It is not root, and ends with this program.

    Args:
        command: its words.
        work: its working folder, which is its ``/tmp``, too.
        readable: files and folders to read.
        writable: folders to write; those inside of readable ones, too.
        memory: the bytes of memory that processes may share by files.
        network: whether it may use the network.
        stage: an empty folder, to use if many paths are to be read.
    """
    places = _stages(readable) if stage else {}
    staged = {path for paths in places.values() for path in paths}
    words = [PROGRAM, *WALLS, *(["--share-net"] if network else []), *_system(network)]
    words += ["--proc", "/proc", "--dev", "/dev", "--size", str(memory), "--tmpfs", SHARED_MEMORY]
    # Before the paths, which may be below it.
    words += ["--bind", str(work), "/tmp"]  # noqa: S108 - the sandbox's own
    for number, root in enumerate(places):
        words += ["--ro-bind", f"{stage}/{number}", str(root)]
    words += _binds("--ro-bind", set(readable) - staged)
    words += _binds("--bind", writable)
    # /proc too: where the runner is root, the sandbox could change the machine's /proc/sys.
    for path in ("/proc", "/dev", "/"):
        words += ["--remount-ro", path]
    words += ["--chdir", str(work), "--", *command]
    return [*_staged(stage, places), *words] if stage and places else words


def _system(network: bool) -> Iterator[str]:
    """Yield the words that show the system's programs, and what they need for the network."""
    for path in map(Path, SYSTEM):
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), str(path))
        else:
            yield from ("--ro-bind-try", str(path), str(path))
    for name in (*SETTINGS, *(NETWORK_SETTINGS if network else ())):
        yield from ("--ro-bind-try", name, name)


def _binds(option: str, paths: Collection[Path]) -> Iterator[str]:
    for path in sorted(set(paths)):  # a folder before what is in it
        yield from (option, str(path), str(path))


def _stages(paths: Sequence[Path]) -> dict[Path, list[Path]]:
    """Return the folders that many of the paths are in, and which of the paths each has."""
    sizes = Counter(path.parent for path in set(paths))
    crowded = {folder for folder, size in sizes.items() if size > MANY}
    roots = [folder for folder in crowded if crowded.isdisjoint(folder.parents)]
    return {root: [path for path in set(paths) if root in path.parents] for root in sorted(roots)}


def _staged(stage: Path, places: dict[Path, list[Path]]) -> list[str]:
    """Return the words before bubblewrap that bind the paths of each folder below `stage`."""
    shown = {
        f"{number}/{path.relative_to(root)}": str(path)
        for number, (root, paths) in enumerate(places.items())
        for path in sorted(paths)
    }
    (stage / staging.LIST).write_text(json.dumps(shown))
    program = [sys.executable, "-I", "-S", staging.__file__, str(stage)]
    return ["unshare", "--user", "--map-root-user", "--mount", *program]


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - written above
        command, capture_output=True, text=True, timeout=60, check=False
    )
