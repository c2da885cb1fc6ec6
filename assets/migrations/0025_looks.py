"""Whose runners look at a data sample, and which samples wait for it; one path once."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("assets", "0024_runner_events")]

    operations = [
        migrations.RemoveConstraint(
            model_name="datasamplecheck", name="datasamplecheck_found_or_problem"
        ),
        migrations.AddField(
            model_name="datasamplecheck",
            name="organization",
            field=models.ForeignKey(
                db_index=False,
                # There are no rows yet.
                default="",
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="assets.organization",
            ),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="datasamplecheck",
            name="checked_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddConstraint(
            model_name="datasamplecheck",
            constraint=models.CheckConstraint(
                condition=Q(checked_at=None, checksum="", problem="")
                | (~Q(checked_at=None) & (Q(checksum="") ^ Q(problem=""))),
                name="datasamplecheck_found_or_problem",
            ),
        ),
        migrations.AddIndex(
            model_name="datasamplecheck",
            index=models.Index(
                fields=["organization", "data_sample"],
                condition=Q(checked_at=None),
                name="datasamplecheck_waiting",
            ),
        ),
        migrations.AddConstraint(
            model_name="datasample",
            constraint=models.UniqueConstraint(
                fields=["owner", "path"],
                condition=Q(at_runner=True),
                name="datasample_once_at_runner",
            ),
        ),
    ]
