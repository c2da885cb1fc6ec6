"""Django's backend for PostgreSQL, with a health check of connections that asks less often."""
