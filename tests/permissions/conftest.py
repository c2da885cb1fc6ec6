"""Random permissions are searched for as hard as everything else that is random."""

from tests.properties import profiles  # noqa: F401
