#!/usr/bin/env bash
# rocrate leaves out of a dataset's folder each file that is named like an entity of the crate.
#
# Expected: a crate with the file README.md and the dataset site-a/, which has a README.md of its
#   own, is written with both files; `write` and `write_zip` write the same files.
# Seen: `write` copies a dataset's folder without the files that the crate lists on their own. It
#   looks them up by their path within the dataset, and the crate knows paths from its root. So
#   site-a/README.md counts as listed, because README.md is, and is left out without a warning.
#   `write_zip` includes it.
# Versions: rocrate 0.16.0, Python 3.11.7
# Last line: write_zip has, and write leaves out: site-a/README.md, site-b/README.md (0 warnings)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet --no-compile --disable-pip-version-check rocrate==0.16.0

mkdir site-a site-b
echo 'A study of two sites' > README.md
for site in site-a site-b; do
    echo "How $site measured" > "$site/README.md"
    echo '1,2' > "$site/values.csv"
done

cat > show.py <<'PYTHON'
import sys
import warnings
import zipfile
from pathlib import Path

from rocrate.rocrate import ROCrate

crate = ROCrate()
crate.add_file("README.md")
crate.add_dataset("site-a")
crate.add_dataset("site-b")
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    crate.write("crate")
    crate.write_zip("crate.zip")

files = (path for path in Path("crate").rglob("*") if path.is_file())
written = sorted(path.relative_to("crate").as_posix() for path in files)
zipped = sorted(zipfile.ZipFile("crate.zip").namelist())
print("write:    ", *written)
print("write_zip:", *zipped)
left_out = [name for name in zipped if name not in written]
print(
    f"write_zip has, and write leaves out: {', '.join(left_out) or 'nothing'} "
    f"({len(caught)} warnings)"
)
sys.exit((left_out, caught) != (["site-a/README.md", "site-b/README.md"], []))
PYTHON
venv/bin/python show.py
