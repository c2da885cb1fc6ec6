"""Organisations, their users, and how people and programs sign in."""
