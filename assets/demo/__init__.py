"""A small consortium to explore: three hospitals, their data, their functions and two studies.

`files/` has the files of their assets, `study.py` the tasks, and `load.py` registers all of it with
the functions that pages and the API use.
"""
