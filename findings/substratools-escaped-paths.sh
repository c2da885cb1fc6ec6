#!/usr/bin/env bash
# substratools changes the path of a task's output if the JSON of its arguments escapes a letter.
#
# Expected: `--outputs` takes JSON, and JSON may write "è" as "\u00e8", as json.dumps does unless it
#   is asked not to. Both spellings are the same path.
# Seen: substratools turns each backslash into a slash before it parses the JSON. The escaped path
#   becomes ".../mod/u00e8le": the function gets that path, the task ends with 0, and nothing is at
#   the path that was asked for.
# Versions: substratools 1.0.0, Python 3.11.7
# Last line: Same path, two spellings: unescaped -> modèle, escaped -> mod/u00e8le, exit codes 0 and 0
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet --no-compile --disable-pip-version-check substratools==1.0.0

cat > function.py <<'PYTHON'
from pathlib import Path

import substratools


@substratools.register
def train(inputs, outputs, task_properties):
    model = Path(outputs["model"])
    model.parent.mkdir(parents=True, exist_ok=True)
    model.write_text("weights")


substratools.execute()
PYTHON

cat > show.py <<'PYTHON'
import json
import subprocess
import sys
from pathlib import Path


def run(name, *, escaped):
    """Return the exit code of a task, and the files that it wrote."""
    folder = Path(name).resolve()
    folder.mkdir()
    output = {"id": "model", "value": str(folder / "modèle"), "multiple": False}
    outputs = json.dumps([output], ensure_ascii=escaped)
    print(name, outputs)
    command = [sys.executable, "function.py", "--function-name", "train", "--outputs", outputs]
    code = subprocess.run(command, stderr=subprocess.DEVNULL).returncode
    files = (path for path in folder.rglob("*") if path.is_file())
    return code, [path.relative_to(folder).as_posix() for path in files]


plain_code, plain = run("unescaped", escaped=False)
code, escaped = run("escaped", escaped=True)
print(
    f"Same path, two spellings: unescaped -> {', '.join(plain)}, "
    f"escaped -> {', '.join(escaped)}, exit codes {plain_code} and {code}"
)
sys.exit((plain_code, plain, code, escaped) != (0, ["modèle"], 0, ["mod/u00e8le"]))
PYTHON
PYTHONUTF8=1 venv/bin/python show.py
