"""Registering while the server is killed at random moments: `python -m tests.kill --help`."""
