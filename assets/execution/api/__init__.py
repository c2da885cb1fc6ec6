"""`/api/runner/`: what runners ask for and report."""
