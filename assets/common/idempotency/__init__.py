"""Requests that arrive twice and take effect once."""
