"""What rooms tell to whoever listens, without knowing them."""

from django.dispatch import Signal

# Something happened to assets: `kind`, `action`, `count`. Sent inside the transaction that did it.
recorded = Signal()
