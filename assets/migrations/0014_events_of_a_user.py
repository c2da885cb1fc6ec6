"""Events of a user are found by an index, as when the user is deleted."""

from django.db import migrations, models

from assets.common.db.operations import AddIndex


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("assets", "0013_names"),
    ]

    operations = [
        AddIndex(
            "event",
            models.Index(fields=["actor", "timestamp", "id"], name="event_actor"),
        ),
    ]
