"""The logs of dry runs as text; labels of events about dry runs."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("assets", "0026_approval_events")]

    operations = [
        migrations.RemoveField(model_name="trial", name="logs"),
        migrations.RemoveField(model_name="trial", name="logs_checksum"),
        migrations.RemoveField(model_name="trial", name="logs_size"),
        migrations.AddField(
            model_name="trial",
            name="logs",
            field=models.TextField(blank=True, default="", verbose_name="logs"),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="event",
            name="asset_kind",
            field=models.CharField(
                choices=[
                    ("ASSET_ORGANIZATION", "organisation"),
                    ("ASSET_DATA_SAMPLE", "data sample"),
                    ("ASSET_DATA_MANAGER", "dataset"),
                    ("ASSET_FUNCTION", "function"),
                    ("ASSET_COMPUTE_TASK", "task"),
                    ("ASSET_COMPUTE_PLAN", "compute plan"),
                    ("ASSET_MODEL", "model"),
                    ("ASSET_PERFORMANCE", "performance"),
                    ("ASSET_FAILURE_REPORT", "failure report"),
                    ("user", "user"),
                    ("token", "token"),
                    ("runner", "runner"),
                    ("trial", "dry run"),
                    ("request", "request"),
                ],
                max_length=30,
                verbose_name="asset kind",
            ),
        ),
    ]
