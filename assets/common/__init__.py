"""What every room uses and that knows no asset: errors, fields, files, lists, parsers."""
