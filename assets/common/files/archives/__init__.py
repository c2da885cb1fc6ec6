"""Zip and tar archives: their entries, and whether they can be unpacked safely."""
