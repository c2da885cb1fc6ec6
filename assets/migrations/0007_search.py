"""Searching names and keys by an index, on PostgreSQL."""

from django.db import migrations

from assets.common.db.operations import AddSearchIndex


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("assets", "0006_lists"),
    ]

    # Not of tasks: each would have to index some forty groups of letters of its key.
    operations = [
        AddSearchIndex(model, field)
        for model in ("dataset", "function", "computeplan")
        for field in ("key", "name")
    ]
