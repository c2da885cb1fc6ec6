"""Event: who did what to which asset, and when. The news feed and the audit trail read it."""
