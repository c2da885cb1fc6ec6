"""Indexes of the work that runners ask for, again and again."""

from django.db import migrations, models

from assets.common.db.operations import AddIndex


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("assets", "0023_runners")]

    operations = [
        AddIndex(
            model_name='function',
            index=models.Index(condition=models.Q(('status', 'FUNCTION_STATUS_WAITING')), fields=['owner', 'creation_date', 'key'], name='function_to_build'),
        ),
        AddIndex(
            model_name='task',
            index=models.Index(condition=models.Q(('status', 'STATUS_WAITING_FOR_EXECUTOR_SLOT')), fields=['worker', 'creation_date', 'key'], name='task_can_run'),
        ),
    ]
