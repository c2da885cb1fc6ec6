"""Signals that any room may receive."""

from django.dispatch import Signal

# Assets have changed: `kind`, `action`, `count`. Sent inside the transaction.
recorded = Signal()
