"""What makes a compute plan and a batch of tasks legal: pure checks on loaded values, no query.

Source: contract 3.5 and 3.6, whose numbers the docstrings give; `task_rules` has 7 to 24.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from ..common.errors import Code, Problem
from ..common.rules import check_metadata, check_name, check_text
from .known import World
from .specs import PLAN, TASK, ComputePlanSpec, InputRef, TaskSpec
from .statuses import TERMINATED, PlanStatus


def _invalid(field: str, message: str) -> Problem:
    return Problem(Code.INVALID, message, field, TASK)


def check_plan_values(spec: ComputePlanSpec) -> Iterator[Problem]:
    """Name, tag and metadata of a plan."""
    yield from check_name(spec.name, asset=PLAN)
    yield from check_text(spec.tag, asset=PLAN, field="tag")
    yield from check_metadata(spec.metadata, asset=PLAN)


def check_takes_tasks(status: str, key: UUID) -> Iterator[Problem]:
    """A plan that was cancelled or has failed takes no more tasks. Decision 4."""
    if status in TERMINATED:
        word = PlanStatus(status).label
        yield Problem(
            Code.TERMINATED,
            f'compute plan "{key}" is {word} and takes no more tasks; register another plan.',
            "compute_plan_key",
            key=str(key),
        )


def check_can_be_cancelled(status: str, key: UUID) -> Iterator[Problem]:
    """A plan that was cancelled or has failed has nothing left to cancel."""
    if status in TERMINATED:
        yield Problem(
            Code.TERMINATED,
            f'compute plan "{key}" is {PlanStatus(status).label} already; '
            "there is nothing left to cancel.",
        )


def check_unique_keys(specs: Sequence[TaskSpec]) -> Iterator[Problem]:
    """No key occurs twice in a batch."""
    repeated = {key for key, times in Counter(spec.key for spec in specs).items() if times > 1}
    for index, spec in enumerate(specs) if repeated else ():
        if spec.key in repeated:
            yield _invalid(f"tasks[{index}].key", f'"{spec.key}" occurs twice in this batch.')


def check_task_values(spec: TaskSpec) -> Iterator[Problem]:
    """2, 3: metadata, tag, and that each input names one source."""
    yield from check_metadata(spec.metadata, asset=TASK)
    yield from check_text(spec.tag, asset=TASK, field="tag")
    for index, ref in enumerate(spec.inputs):
        yield from _check_source(ref, f"inputs[{index}]")


def _check_source(ref: InputRef, field: str) -> Iterator[Problem]:
    if not ref.identifier:
        yield _invalid(f"{field}.identifier", "is missing. Name an input of the function.")
    has_parent = ref.parent_task_key is not None
    if has_parent == (ref.asset_key is not None):
        yield _invalid(
            field, "give either asset_key, or parent_task_key with parent_task_output_identifier."
        )
    elif has_parent != (ref.parent_task_output_identifier is not None):
        field = f"{field}.{'parent_task_output_identifier' if has_parent else 'parent_task_key'}"
        yield _invalid(field, "is missing. A parent is named by its key and its output.")


def check_graph(
    specs: Sequence[TaskSpec],
    index_of: Mapping[UUID, int],
    ranks: Mapping[UUID, int],
    world: World,
) -> Iterator[Problem]:
    """5: every parent is known and no task depends on itself."""
    unsorted = {spec.key: spec for spec in specs if spec.key not in ranks}
    message = (
        "cyclic dependency in compute plan graph or unknown task parent, "
        f"unsorted_tasks_count: {len(unsorted)}"
    )
    # As the SDK says it, which would find a cycle itself had it not registered the plan before.
    cycle = "missing dependency among inModels IDs, circular dependency found"
    unknown, waiting = [], []
    for key, spec in unsorted.items():
        for position, ref in enumerate(spec.inputs):
            parent = ref.parent_task_key
            where = f"tasks[{index_of[key]}].inputs[{position}].parent_task_key"
            if parent in unsorted:
                waiting.append(
                    _invalid(where, f'{message}; {cycle}: "{parent}" is in or below a cycle.')
                )
            elif parent and parent not in ranks and parent not in world.tasks:
                unknown.append(_invalid(where, f'{message}; no task has the key "{parent}".'))
    # A task below an unknown parent is not itself at fault: say what is.
    yield from unknown or waiting
