"""Pages of activity, and base classes of the pages of one asset."""
