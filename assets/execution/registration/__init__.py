"""The only writers of what runners do, and of decisions about what they run."""
