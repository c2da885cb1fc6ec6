"""Imports: many datasets, functions and data samples at once, from a folder or a zip with lists.

A row of a list takes the path of every other registration: `reading` makes it a spec, which the
rooms below check and register.
"""
