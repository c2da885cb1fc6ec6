"""Backups of all rows and files, which can be restored into any database and storage."""
