"""Pages of runners and approvals."""
