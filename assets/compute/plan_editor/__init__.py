"""Building compute plans and tasks in the browser: a draft as JSON, and a form that adds to it.

The server stores nothing between two requests: the page's form carries the draft as the JSON of
its tasks, exactly what the API reads, and the open task as ordinary fields. A long draft is packed.
"""
