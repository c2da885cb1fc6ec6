"""What the audit trail has of failed sign-ins, so that it gets an event once for a while."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("assets", "0009_news"),
    ]

    operations = [
        migrations.AddField("failedsignin", "recorded_at", models.DateTimeField(null=True)),
    ]
