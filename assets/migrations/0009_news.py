"""News are found by an index of their own among a million events of tasks."""

from django.db import migrations, models

from assets.common.db.operations import AddIndex


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("assets", "0008_loose_files"),
    ]

    operations = [
        AddIndex(
            "event",
            models.Index(
                fields=["timestamp", "id"],
                condition=models.Q(
                    action__in=("registered", "started", "ended"),
                    asset_kind__in=("ASSET_COMPUTE_PLAN", "ASSET_DATA_MANAGER"),
                ),
                name="event_news",
            ),
        ),
    ]
