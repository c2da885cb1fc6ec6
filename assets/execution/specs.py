"""What is asked of runners, as plain values."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(slots=True)
class TrialSpec:
    """The values that begin a dry run."""

    function_key: UUID
    # None for a function that takes no dataset.
    dataset_key: UUID | None = None
    # How many data samples the dataset's opener invents.
    fake_samples: int = 1
