"""Forms of specs: their base classes, fields, widgets and layouts."""
