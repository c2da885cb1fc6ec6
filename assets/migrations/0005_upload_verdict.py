"""An upload remembers the rule that its content has passed; old uploads are found by an index."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class AddIndex(AddIndexConcurrently):
    """Concurrently where the database can, so that nobody who sends a file waits for it."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        else:
            migrations.AddIndex.database_forwards(
                self, app_label, schema_editor, from_state, to_state
            )

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)
        else:
            migrations.AddIndex.database_backwards(
                self, app_label, schema_editor, from_state, to_state
            )


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("assets", "0004_sign_in")]

    operations = [
        migrations.AddField(
            "upload",
            "passed",
            models.CharField(blank=True, db_default="", default="", max_length=30),
        ),
        AddIndex("upload", models.Index(fields=["created_at"], name="upload_created")),
    ]
