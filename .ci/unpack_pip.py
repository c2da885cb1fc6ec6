"""Give this environment the pip that comes with Python: `.venv/bin/python .ci/unpack_pip.py`

`venv` would install and compile all of pip, which takes longer than what pip is here for: to
install uv, and to list its configuration. So its wheel is only unpacked.
"""

import ensurepip
import sysconfig
import zipfile
from pathlib import Path


def main() -> None:
    """Unpack the wheel, or install it where this Python keeps none that is known."""
    # Debian and Fedora have a folder of their own for wheels.
    folders = [
        sysconfig.get_config_var("WHEEL_PKG_DIR"),
        Path(ensurepip.__file__).parent / "_bundled",
    ]
    name = f"pip-{ensurepip.version()}-py3-none-any.whl"
    for wheel in (Path(folder) / name for folder in folders if folder):
        if wheel.exists():
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(sysconfig.get_path("purelib"))
            return
    ensurepip.bootstrap()


if __name__ == "__main__":
    main()
