"""Running what is registered: runners' jobs, approvals and dry runs."""
