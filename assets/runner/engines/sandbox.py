"""The sandbox of the process engine: bubblewrap, which shows a process only what it may see."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from . import EngineError

PROGRAM = "bwrap"
OLDEST = (0, 8)  # the first that can forbid further namespaces
# One to read and execute, of which no file is secret.
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SETTINGS = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime")
SHARED_MEMORY = "/dev/shm"  # noqa: S108 - the sandbox's own
NETWORK_SETTINGS = (
    *("/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/gai.conf"),
    *("/etc/ssl", "/etc/pki", "/etc/ca-certificates"),
)
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
    command = sandboxed(["true"], work=Path("/usr"), readable=(), writable=(), memory=2**20)
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
    """
    words = [PROGRAM, "--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent"]
    words += ["--new-session", "--cap-drop", "ALL", "--uid", "1000", "--gid", "1000"]
    words += ["--hostname", "function"]
    if network:
        words.append("--share-net")
    for system in map(Path, SYSTEM):
        if system.is_symlink():
            words += ["--symlink", str(system.readlink()), str(system)]
        else:
            words += ["--ro-bind-try", str(system), str(system)]
    for name in (*SETTINGS, *(NETWORK_SETTINGS if network else ())):
        words += ["--ro-bind-try", name, name]
    words += ["--proc", "/proc", "--dev", "/dev", "--size", str(memory), "--tmpfs", SHARED_MEMORY]
    # Before the paths, which may be below it.
    words += ["--bind", str(work), "/tmp"]  # noqa: S108 - the sandbox's own
    words += _binds("--ro-bind", readable)
    words += _binds("--bind", writable)
    # /proc too: where the runner is root, the sandbox could change the machine's /proc/sys.
    for path in ("/proc", "/dev", "/"):
        words += ["--remount-ro", path]
    return [*words, "--chdir", str(work), "--", *command]


def _binds(option: str, paths: Sequence[Path]) -> Iterator[str]:
    for path in sorted(set(paths)):  # a folder before what is in it
        yield from (option, str(path), str(path))


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - written above
        command, capture_output=True, text=True, timeout=60, check=False
    )
