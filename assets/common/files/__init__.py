"""Stored files: writing them together with their rows, checking archives, sending downloads."""
