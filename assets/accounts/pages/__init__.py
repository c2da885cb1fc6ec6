"""Dashboard pages of accounts, and the base classes of pages in every room."""
