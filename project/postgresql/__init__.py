"""Django's PostgreSQL backend, which is asked less."""
