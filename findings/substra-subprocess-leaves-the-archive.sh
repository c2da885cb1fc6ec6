#!/usr/bin/env bash
# The SDK's local subprocess mode looks for a function's script outside of the function's archive.
#
# Expected: `ENTRYPOINT ["python3", "/function/function.py", ...]` after `WORKDIR /function` and
#   `COPY function.py .` runs the archive's function.py: the docker mode of the SDK and the platform
#   do, because they build the image. The subprocess mode, which does not, finds the script in the
#   archive or says that it cannot read this ENTRYPOINT.
# Seen: it joins the folder of the unpacked archive and the path, and an absolute path wins. The task
#   fails, because the machine has no file /function/function.py.
# Versions: substra 1.0.0, substratools 1.0.0, Python 3.11.7
# Last line: relative script: done, absolute script: ExecutionError
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet --no-compile --disable-pip-version-check \
    substra==1.0.0 substratools==1.0.0

cat > function.py <<'PYTHON'
from pathlib import Path

import substratools


@substratools.register
def train(inputs, outputs, task_properties):
    Path(outputs["model"]).write_text("weights")


if __name__ == "__main__":
    substratools.execute()
PYTHON

cat > show.py <<'PYTHON'
import sys
import uuid
import zipfile
from pathlib import Path

import substra
from substra.sdk import schemas
from substra.sdk.backends.local.compute.spawner.base import ExecutionError

client = substra.Client(backend_type=substra.BackendType.LOCAL_SUBPROCESS)
everyone = schemas.Permissions(public=True, authorized_ids=[])
Path("description.md").write_text("# Train")
dockerfile = """FROM python:3.11-slim
WORKDIR /function
COPY function.py .
ENTRYPOINT ["python3", "{script}", "--function-name", "train"]
"""


def run(script):
    """Return how a task ends whose function's ENTRYPOINT names the script so."""
    with zipfile.ZipFile("function.zip", "w") as archive:
        archive.write("function.py")
        archive.writestr("Dockerfile", dockerfile.format(script=script))
    kind = schemas.AssetKind.model
    function = client.add_function(
        schemas.FunctionSpec(
            name="train",
            description="description.md",
            file="function.zip",
            permissions=everyone,
            metadata={},
            inputs=[],
            outputs=[schemas.FunctionOutputSpec(identifier="model", kind=kind, multiple=False)],
        )
    )
    task = schemas.ComputePlanTaskSpec(
        task_id=str(uuid.uuid4()),
        function_key=function,
        inputs=[],
        outputs={"model": schemas.ComputeTaskOutputSpec(permissions=everyone)},
        worker=client.organization_info().organization_id,
    )
    try:
        plan = client.add_compute_plan(schemas.ComputePlanSpec(name="plan", tasks=[task]))
    except ExecutionError as error:
        return type(error).__name__
    return client.get_compute_plan(plan.key).status.name


relative, absolute = run("function.py"), run("/function/function.py")
print(f"relative script: {relative}, absolute script: {absolute}")
sys.exit((relative, absolute) != ("done", "ExecutionError"))
PYTHON
venv/bin/python show.py
