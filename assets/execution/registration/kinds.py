"""The kinds of work, in the order in which runners get it."""

from ..models import Job
from .builds import BUILDS
from .looks import LOOKS
from .tasks import TASKS
from .trials import TRIALS
from .work import Work

KINDS: tuple[Work, ...] = (LOOKS, BUILDS, TASKS, TRIALS)


def work_of(job: Job) -> Work:
    """Return the kind of work of a job."""
    return next(work for work in KINDS if work.key_of(job) is not None)
