"""Users and organisations whose names look alike are refused, whatever their case.

Those that are there already stay: the older one has the key, the others one of their own.
"""

import logging

from django.db import migrations, models

from assets.common.text.names import (SEPARATOR, name_key)

logger = logging.getLogger(__name__)


def _fill(model, name_field: str, key_field: str, kind: str, order: tuple[str, ...]) -> None:
    seen: dict[str, str] = {}
    for pk, name in model.objects.order_by(*order).values_list("pk", name_field):
        if not name:
            continue
        key = name_key(name)
        if key in seen:
            logger.warning(
                'The %s "%s" and "%s" have names that look alike. Both stay; each is found by its '
                "name exactly as it is written. New names like these are refused.",
                kind,
                seen[key],
                name,
            )
            key = f"{key}{SEPARATOR}{pk}"
        else:
            seen[key] = name
        model.objects.filter(pk=pk).update(**{key_field: key})


def fill(apps, schema_editor) -> None:
    organization = apps.get_model("assets", "Organization")
    user = apps.get_model("assets", "User")
    _fill(user, "username", "name_key", "users", ("date_joined", "pk"))
    _fill(organization, "id", "id_key", "organisations", ("creation_date", "pk"))
    _fill(organization, "name", "name_key", "organisations", ("creation_date", "pk"))


class Migration(migrations.Migration):
    dependencies = [
        ("assets", "0012_idempotency_key"),
    ]

    operations = [
        migrations.AddField(model, name, models.CharField(max_length=500, null=True, unique=True, blank=True, editable=False))
        for model, name in (
            ("user", "name_key"),
            ("organization", "id_key"),
            ("organization", "name_key"),
        )
    ] + [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
