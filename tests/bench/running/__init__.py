"""How fast registered work runs: the demo's study, and what the registry adds to a task."""
