"""API views of accounts, and how API requests are authenticated."""
