"""How long the steps of running a task, or of building a function, took. Contract 2.5, 2.12."""

from collections.abc import Iterator, Mapping

from django.db import transaction
from django.db.models import Case, Value, When

from ...common.db import bulk
from ...common.errors import Code, Problem, refuse_if
from ...feed.registration import Actor
from ...functions.models import Function, FunctionStep
from ...permissions.access import may_report
from ..models import ProfilingStep, Task
from ..statuses import TaskStep

# The longest duration in microseconds: ten years.
MAX_DURATION = 10 * 366 * 86_400 * 10**6


def report_steps(asset: Task | Function, steps: Mapping[str, int], actor: Actor) -> None:
    """Write how many microseconds each step of a task or a function took; the last value stands.

    One statement for new steps, and another one for those that were reported before.

    Raises:
        Refused: the actor does not act for the task's worker or the function's owner, a step is
            unknown, or a duration is out of range.
    """
    refuse_if(_check_actor(asset, actor))
    refuse_if(_check_steps(asset, steps))
    if not steps:
        return
    subject = {"task_id" if isinstance(asset, Task) else "function_id": asset.key}
    rows = [{**subject, "step": step, "duration": took} for step, took in steps.items()]
    # A savepoint would only cost time: whoever calls this undoes all of it.
    with transaction.atomic(savepoint=False):
        new = bulk.insert(ProfilingStep, rows, ignore_conflicts=True, returning=["step"])
        if known := steps.keys() - {step for (step,) in new}:
            last = [When(step=step, then=Value(steps[step])) for step in known]
            found = ProfilingStep.objects.filter(**subject, step__in=known)
            found.update(duration=Case(*last))


def _check_actor(asset: Task | Function, actor: Actor) -> Iterator[Problem]:
    organization = asset.worker_id if isinstance(asset, Task) else asset.owner_id
    if not may_report(actor, organization):
        message = (
            f"only runners of {organization}, and its users who may register, report how long "
            "this took. Use a token of one."
        )
        yield Problem(Code.FORBIDDEN, message, key=str(asset.key))


def _check_steps(asset: Task | Function, steps: Mapping[str, int]) -> Iterator[Problem]:
    known = TaskStep if isinstance(asset, Task) else FunctionStep
    for step, took in steps.items():
        if step not in known.values:
            message = f'"{step}" is no step. Choose one of: {", ".join(known.values)}.'
            yield Problem(Code.INVALID, message, "step")
        elif not 0 <= took <= MAX_DURATION:
            message = f"{took} is out of range. Send microseconds, from 0 to {MAX_DURATION}."
            yield Problem(Code.INVALID, message, "duration")
