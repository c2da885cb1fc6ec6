"""Text and times: how names are compared, and how text is read, cut and shown."""
