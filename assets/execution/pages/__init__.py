"""Pages of runners, approvals and dry runs."""
