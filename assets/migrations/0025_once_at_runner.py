"""A path at runners is registered once by each organisation."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("assets", "0024_waiting_work")]

    operations = [
        migrations.AddConstraint(
            model_name='datasample',
            constraint=models.UniqueConstraint(condition=models.Q(('at_runner', True)), fields=('owner', 'path'), name='datasample_once_at_runner'),
        ),
    ]
