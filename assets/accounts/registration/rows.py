"""Inserts rows of organisations, users and tokens."""

from django.db import IntegrityError, transaction
from django.db.models import Model


def insert(row: Model) -> None:
    """Insert a checked row.

    Raises:
        ValidationError: another request took the name since the check; keyed by field.
    """
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        row.clean()
        row.validate_unique()
        raise
