"""What spans all kinds: home, and the search."""
