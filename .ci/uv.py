"""Run the uv of this environment as pip is configured: `python .ci/uv.py pip install ...`

uv reads neither pip's files nor its variables. Whoever installs from a mirror, or offline from a
folder, has configured pip so; this passes it on. Variables and files of uv itself come first.
"""

import ast
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

# pip's option, uv's variable, and what separates its values.
VARIABLES = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "cert": ("SSL_CERT_FILE", " "),
    "proxy": ("ALL_PROXY", " "),
}
# Where these say something, pip's configuration has no say.
OWN_VARIABLES = {
    *("UV_CONFIG_FILE", "UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL"),
    *("UV_EXTRA_INDEX_URL", "UV_FIND_LINKS"),
}
OWN_FILES = ("~/.config/uv/uv.toml", "/etc/uv/uv.toml")


def read_pip_options(listing: str) -> dict[str, str]:
    """Return pip's options by name, from what `pip config list` prints.

    The command's own section overrides the global one, and the environment both.
    """
    sections = {"global": 0, "install": 1, ":env:": 2}
    ranked = []
    for line in listing.splitlines():
        name, _, value = line.partition("=")
        section, _, option = name.partition(".")
        if section in sections:
            ranked.append((sections[section], option, str(ast.literal_eval(value))))
    return {option: value for _, option, value in sorted(ranked)}


def variables_of(options: Mapping[str, str]) -> dict[str, str]:
    """Return uv's variables that say what these options of pip say."""
    found = {
        variable: separator.join(options[option].split())
        for option, (variable, separator) in VARIABLES.items()
        if options.get(option, "").strip()
    }
    if "UV_INDEX" in found:
        # As pip does: any index may have the file. The lock files say which hash it must have.
        found["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return found


def main(arguments: list[str]) -> int:
    """Run uv with these arguments, and return its exit code."""
    environment, command = dict(os.environ), [str(Path(sys.executable).with_name("uv")), *arguments]
    own = any(name in environment for name in OWN_VARIABLES)
    if not own and not any(Path(file).expanduser().exists() for file in OWN_FILES):
        listing = subprocess.run(
            [sys.executable, "-m", "pip", "config", "list"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        options = read_pip_options(listing)
        if arguments[:2] == ["pip", "compile"]:
            # Lock files need the hashes of every platform, which further sources may lack.
            options.pop("extra-index-url", None)
            options.pop("find-links", None)
        environment = variables_of(options) | environment
        if arguments[0] == "pip" and options.get("no-index") in ("1", "true", "yes", "on"):
            command.append("--no-index")
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
