"""Labels of events: what is approved and declined."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('assets', '0025_looks'),
    ]

    operations = [
        migrations.AlterField(
            model_name='event',
            name='action',
            field=models.CharField(choices=[('registered', 'registered'), ('renamed', 'renamed'), ('linked', 'linked'), ('started', 'started'), ('ended', 'ended'), ('canceled', 'cancelled'), ('approved', 'approved'), ('declined', 'declined'), ('downloaded', 'downloaded'), ('viewed', 'viewed'), ('signed_in', 'signed in'), ('signed_out', 'signed out'), ('created', 'created'), ('changed', 'changed'), ('removed', 'removed'), ('tried', 'denied')], max_length=20, verbose_name='action'),
        ),
    ]
