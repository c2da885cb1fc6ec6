"""Indexes by which every order and every filter of lists is served among a million rows."""

import django.db.models.deletion
from django.db import migrations, models

from assets.common.db.models import listing_index
from assets.common.db.operations import (AddIndex, DropColumnIndex)

# Rows by a column, their date and their key.
COLUMNS = {
    "computeplan": ["owner", "name", "tag", "status", "start_date", "end_date"],
    "datasample": ["owner"],
    "dataset": ["name"],
    "function": ["name"],
    "model": ["owner"],
    "task": [
        "compute_plan",
        "function",
        "owner",
        "worker",
        "status",
        "rank",
        "tag",
        "start_date",
        "end_date",
    ],
}


def _key(to: str, related_name: str = "+", **options) -> models.ForeignKey:
    protect = django.db.models.deletion.PROTECT
    options |= {"db_index": False, "on_delete": protect, "related_name": related_name}
    return models.ForeignKey(to=f"assets.{to}", **options)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("assets", "0005_upload_verdict"),
    ]

    operations = [
        *(
            AddIndex(model_name=model, index=listing_index(model, column))
            for model, columns in COLUMNS.items()
            for column in columns
        ),
        AddIndex(
            model_name="performance",
            index=models.Index(fields=["creation_date", "id"], name="performance_creation"),
        ),
        DropColumnIndex("computeplan", "owner", _key("organization", editable=False)),
        DropColumnIndex("datasample", "owner", _key("organization", editable=False)),
        DropColumnIndex("model", "owner", _key("organization", editable=False)),
        DropColumnIndex("task", "compute_plan", _key("computeplan", "tasks")),
        DropColumnIndex("task", "function", _key("function", "tasks")),
    ]
