"""Uploads: files staged for a form that is not submitted yet.

A form that comes back with an error stages the files that were fine, and scripts upload files
before the form is sent. Only its user can see an upload, which expires after a day.
"""
