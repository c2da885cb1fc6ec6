"""Building compute plans and tasks in the browser: a draft as JSON, and a form that adds to it.

Nothing is kept between two requests: the page's form carries the draft as the JSON of its tasks,
exactly what the API reads, and the task that is being filled in as ordinary fields.
"""
