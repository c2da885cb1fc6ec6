"""Pages of datasets and of data samples."""
