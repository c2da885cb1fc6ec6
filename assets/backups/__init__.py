"""Backups: every row and every file, in a folder that any database and storage can be made of."""
