"""Database: model fields, lookups, bulk inserts, compiled statements, counts, and migrations."""
