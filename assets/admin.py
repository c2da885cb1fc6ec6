"""Where Django finds the admin; it lives in the rooms."""
