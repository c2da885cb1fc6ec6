"""The only writer of jobs, of what runners report by them, and of decisions about what they run.

A job begins by a claim (`claims`), lives while it is renewed (`renewals`), and ends by a
report (`reports`). Each kind of work (`kinds`) says what its jobs are about.

Whoever needs the locks of a job and of a compute plan takes the job's first.
"""
