#!/usr/bin/env bash
# In the SDK's local mode, the filter by name finds assets whose name is only a part of the filter.
#
# Expected: the SDK's error message for a wrong filter says that names match exactly in local mode.
#   So "heart disease" finds the dataset "heart disease" and no other.
# Seen: the comparison is `name in filter`, written for a list of values, but a name is a string. So
#   "heart disease" also finds the dataset "heart", while "hear" does not: a partial match the wrong
#   way round. Code that takes the first match may train on another dataset.
# Versions: substra 1.0.0, Python 3.11.7
# Last line: The filter "heart disease" finds: heart, heart disease; "hear" finds: nothing
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet --no-compile --disable-pip-version-check substra==1.0.0

cat > show.py <<'PYTHON'
import sys
from pathlib import Path

import substra
from substra.sdk.schemas import DatasetSpec, Permissions

Path("opener.py").write_text("")
Path("description.md").write_text("# A dataset\n")
everyone = Permissions(public=True, authorized_ids=[])
client = substra.Client(backend_type=substra.BackendType.LOCAL_SUBPROCESS)
for name in ("heart", "heart disease"):
    spec = DatasetSpec(
        name=name,
        data_opener="opener.py",
        description="description.md",
        permissions=everyone,
        logs_permission=everyone,
    )
    client.add_dataset(spec)


def found(name):
    return sorted(dataset.name for dataset in client.list_dataset(filters={"name": name}))


whole, part = found("heart disease"), found("hear")
print(
    f'The filter "heart disease" finds: {", ".join(whole) or "nothing"}; '
    f'"hear" finds: {", ".join(part) or "nothing"}'
)
sys.exit((whole, part) != (["heart", "heart disease"], []))
PYTHON
venv/bin/python show.py
