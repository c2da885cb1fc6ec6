"""Names are searched and ordered whatever the case and the accents of their letters."""

from django.db import migrations

from assets.common.db.fields import (FoldedField, OrderField)
from assets.common.text.folding import (folded, order_key)
from assets.common.db.models import listing_index
from assets.common.db.operations import (AddColumn, AddFoldedSearchIndex, AddIndex, FillColumns, RemoveSearchIndex)

NAMED = ("dataset", "function", "computeplan")


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("assets", "0014_events_of_a_user"),
    ]

    operations = [
        operation
        for model in NAMED
        for operation in (
            AddColumn(model, "name_folded", FoldedField(of="name")),
            AddColumn(model, "name_order", OrderField(of="name")),
            FillColumns(model, "name", {"name_folded": folded, "name_order": order_key}),
            AddIndex(model_name=model, index=listing_index(model, "name_order")),
            AddFoldedSearchIndex(model, "name_folded"),
            RemoveSearchIndex(model, "name"),
        )
    ]
