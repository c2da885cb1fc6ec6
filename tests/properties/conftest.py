"""Loads the profile before any property is read."""

from . import profiles  # noqa: F401
