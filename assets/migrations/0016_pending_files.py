"""LooseFiles becomes PendingFiles. The database keeps its names: during an upgrade two versions of
the server work on it."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('assets', '0015_name_order'),
    ]

    operations = [
        migrations.AlterModelTable(name='loosefiles', table='assets_loosefiles'),
        migrations.RenameModel(old_name='LooseFiles', new_name='PendingFiles'),
        migrations.AlterField(
            model_name='pendingfiles',
            name='given_up',
            field=models.BooleanField(db_column='given_up', default=False),
        ),
        migrations.RenameField(
            model_name='pendingfiles', old_name='given_up', new_name='abandoned'
        ),
        migrations.AlterModelOptions(
            name='pendingfiles',
            options={'verbose_name': 'pending files', 'verbose_name_plural': 'pending files'},
        ),
    ]
