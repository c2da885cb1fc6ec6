"""Model, Performance and FailureReport: what work produced. Read here; written by workers later."""
