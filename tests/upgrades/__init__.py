"""Registries and backups of earlier versions live on.

Each version has a folder here with what `recording` recorded of it. The version 0.1.0 is the
oldest one that is upgraded.
"""
