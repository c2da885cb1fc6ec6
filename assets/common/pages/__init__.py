"""Pages: their base classes, lists, tables, exports and Markdown."""
