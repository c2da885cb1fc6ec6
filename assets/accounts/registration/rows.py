"""Inserts rows of organisations, users and tokens."""

from django.db import IntegrityError, transaction
from django.db.models import Model


def insert(row: Model) -> None:
    """Insert a row; a name taken since it was looked up is refused in the same words as before."""
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        row.clean()
        row.validate_unique()
        raise
