"""The only writer of compute plans and tasks.

A batch of tasks is checked as a whole (`batch`) and written as a whole (`saving`): 10,000 tasks
take as many statements as one. Checking takes longer than writing, so it happens before the
transaction and blocks no other writer; inside the transaction it is only verified that what the
check loaded has not changed.

Registration is idempotent (decision 3): what already exists with the same owner, plan and content
stays unchanged, and the answer is a success.
"""

from .plans import (
    cancel_compute_plan,
    check_cancel,
    check_compute_plan,
    register_compute_plan,
)
from .rules import check_accepts_tasks
from .steps import report_steps
from .tasks import check_tasks, register_tasks

__all__ = [
    "cancel_compute_plan",
    "check_accepts_tasks",
    "check_cancel",
    "check_compute_plan",
    "check_tasks",
    "register_compute_plan",
    "register_tasks",
    "report_steps",
]
