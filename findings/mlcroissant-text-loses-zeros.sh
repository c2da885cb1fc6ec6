#!/usr/bin/env bash
# mlcroissant drops the leading zeros of a CSV column that a Croissant file declares as text.
#
# Expected: a field of the data type sc:Text has the column's text, so the code 007 stays 007.
# Seen: the column is read before the declared type is looked at. pandas takes a column of digits
#   for integers, and mlcroissant then turns 7 into text: 007 and 7 become one code. One code with a
#   letter in the column is enough to keep the zeros of all others, so the value of a row depends on
#   the other rows. The file has no error and no warning, and its checksum fits.
# Versions: mlcroissant 1.1.1, pandas 3.1.1, Python 3.11.7
# Last line: sc:Text of 007, 010: 7, 10; with a third row 12B: 007, 010, 12B
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet --no-compile --disable-pip-version-check mlcroissant==1.1.1 pandas==3.1.1

cat > show.py <<'PYTHON'
import hashlib
import json
import sys
from pathlib import Path

import mlcroissant


def texts_of(name, codes):
    """Return the codes as mlcroissant reads them from a CSV that declares them as text."""
    table = Path(f"{name}.csv")
    table.write_text("\n".join(["code", *codes]) + "\n")
    metadata = mlcroissant.Metadata(
        name=name,
        description="Codes of patients",
        url="https://example.org/codes",
        license=["https://creativecommons.org/publicdomain/zero/1.0/"],
        cite_as="Codes of patients",
        version="1.0.0",
        date_published="2026-01-01",
        distribution=[
            mlcroissant.FileObject(
                id="table",
                name=table.name,
                content_url=table.name,
                encoding_formats=["text/csv"],
                sha256=hashlib.sha256(table.read_bytes()).hexdigest(),
            )
        ],
        record_sets=[
            mlcroissant.RecordSet(
                id="patients",
                name="patients",
                fields=[
                    mlcroissant.Field(
                        id="patients/code",
                        name="code",
                        data_types=[mlcroissant.DataType.TEXT],
                        source=mlcroissant.Source(
                            file_object="table", extract=mlcroissant.Extract(column="code")
                        ),
                    )
                ],
            )
        ],
    )
    description = Path(f"{name}.json")
    description.write_text(json.dumps(metadata.to_json(), default=str))
    dataset = mlcroissant.Dataset(jsonld=str(description))
    issues = dataset.metadata.ctx.issues
    print(name, "errors:", len(issues.errors), "warnings:", len(issues.warnings))
    if issues.errors or issues.warnings:
        sys.exit(issues.report())
    return [record["patients/code"].decode() for record in dataset.records("patients")]


digits = texts_of("digits", ["007", "010"])
mixed = texts_of("mixed", ["007", "010", "12B"])
print(f"sc:Text of 007, 010: {', '.join(digits)}; with a third row 12B: {', '.join(mixed)}")
sys.exit((digits, mixed) != (["7", "10"], ["007", "010", "12B"]))
PYTHON
venv/bin/python show.py
