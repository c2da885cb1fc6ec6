"""Uploads: files that somebody sent for a form which is not registered yet.

A form that comes back with an error keeps the files that were fine, and scripts send files ahead of
the form. An upload belongs to its user, is seen by nobody else and is forgotten after a day.
"""
