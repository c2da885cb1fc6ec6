"""A small consortium to look at: three hospitals, their data, their functions and two studies.

`files/` holds what they registered, `study.py` the tasks, `load.py` registers all of it through the
same functions that every other door calls.
"""
