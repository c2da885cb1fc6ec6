"""The only writer of datasets, data samples, the links between them and lists of samples."""

from .datasets import check_dataset, register_dataset
from .looks import check_look_again, look_again, samples_to_look_at, save_look
from .sample_sets import intern_sample_sets
from .samples import (
    check_data_samples,
    check_link,
    left_out,
    link_data_samples,
    register_data_samples,
)

__all__ = [
    "check_data_samples",
    "check_dataset",
    "check_link",
    "check_look_again",
    "intern_sample_sets",
    "left_out",
    "link_data_samples",
    "look_again",
    "register_data_samples",
    "register_dataset",
    "samples_to_look_at",
    "save_look",
]
