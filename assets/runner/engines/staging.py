"""A program of its own: binds many paths into one folder, then becomes the command after it.

bubblewrap binds one path after the other, and each takes longer than the one before: a thousand
take seconds, and three thousand are too many. It binds one folder with as many in it at once.
This runs where it may mount, and where no one else sees it (``unshare --map-root-user --mount``).
"""

import ctypes
import json
import os
import sys
from pathlib import Path

LIST = "paths"  # the file in the folder: which place in it shows which path
_BIND = 0x1000 | 0x4000  # with what is mounted in it: from <sys/mount.h>
_LIBC = ctypes.CDLL(None, use_errno=True)


def main(folder: Path, command: list[str]) -> None:
    """Bind what the list in `folder` says, and run the command in place of this program."""
    places = json.loads((folder / LIST).read_text())
    _mount("tmpfs", folder, 0)
    for place, path in places.items():
        target = folder / place
        if Path(path).is_dir():
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch()
        _mount(path, target, _BIND)
    os.execvp(command[0], command)  # noqa: S606 - the command is this program's argument


def _mount(source: str, target: Path, flags: int) -> None:
    kind = b"tmpfs" if source == "tmpfs" else None
    if _LIBC.mount(os.fsencode(source), os.fsencode(target), kind, flags, None):
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), source)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2:])
    except OSError as error:
        sys.exit(f"bwrap: {error}")  # as bubblewrap says that it cannot start
