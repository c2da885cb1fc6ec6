"""Inserts rows of organisations, users, tokens and runners."""

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
        row.validate_constraints()
        raise
