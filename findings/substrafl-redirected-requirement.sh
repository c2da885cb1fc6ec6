#!/usr/bin/env bash
# SubstraFL's Dockerfiles ask for setuptools 70 or newer, and the shell never passes that on.
#
# Expected: the line `pip install -U setuptools>=70.0.0` of every Dockerfile that SubstraFL writes
#   gives pip the lower limit, as the same words in a list of requirements do.
# Seen: the line is not in quotes, so its shell takes `>` for a redirection. pip gets the words
#   `install -U setuptools`, without a limit, and what it prints is in a file `=70.0.0` of the image
#   instead of the log of the build. Whoever reads such a Dockerfile without a shell sees the limit.
# Versions: substrafl 1.0.0, Python 3.11.7
# Last line: pip gets: install -U setuptools; files beside it: =70.0.0
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet --no-compile --disable-pip-version-check substrafl==1.0.0

line=$(venv/bin/python - <<'PYTHON'
from substrafl.remote.register.register import DOCKERFILE_TEMPLATE

print(next(line for line in DOCKERFILE_TEMPLATE.splitlines() if "setuptools" in line))
PYTHON
)
echo "$line"

# What follows `&&` on that line, run as Docker runs it, by a pip that notes its words.
mkdir programs image
printf '#!/bin/sh\necho "$*" > "%s/words"\necho Collecting\n' "$folder" > programs/pip
chmod +x programs/pip
(cd image && PATH="$folder/programs:$PATH" /bin/sh -c "${line##*&& }")
words=$(cat words)
files=$(ls image)
echo "pip gets: $words; files beside it: $files"
[[ "$words" == "install -U setuptools" && "$files" == "=70.0.0" ]]
