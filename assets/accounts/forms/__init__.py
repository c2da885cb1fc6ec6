"""Forms of accounts, for the dashboard and the admin."""
