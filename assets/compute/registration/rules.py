"""What makes a compute plan and a batch of tasks legal: pure checks on loaded values, no query.

Source: contract 3.5 and 3.6, whose numbers the docstrings give; `task_rules` has 7 to 24.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from django.utils.translation import gettext as _, gettext_lazy

from ...common.errors import Code, Problem
from ...common.rules import check_metadata, check_name, check_text
from ..inputs import InputGroup, placed
from ..specs import PLAN, TASK, ComputePlanSpec, TaskSpec
from ..statuses import TERMINATED, PlanStatus
from .context import BatchContext

OWNER_ADDS_TASKS = gettext_lazy(
    "only its owner %(owner)s may add tasks to this compute plan; you act for %(own)s."
)
OWNER_CANCELS = gettext_lazy(
    "only its owner %(owner)s may cancel this compute plan; you act for %(own)s."
)


def _invalid(field: str, message: str) -> Problem:
    return Problem(Code.INVALID, message, field, TASK)


def check_plan_values(spec: ComputePlanSpec) -> Iterator[Problem]:
    """Yield problems with the name, tag and metadata of a plan."""
    yield from check_name(spec.name, asset=PLAN)
    yield from check_text(spec.tag, asset=PLAN, field="tag")
    yield from check_metadata(spec.metadata, asset=PLAN)


def check_accepts_tasks(status: str, key: UUID) -> Iterator[Problem]:
    """A cancelled or failed plan accepts no more tasks. Decision 4."""
    if status in TERMINATED:
        message = _(
            'compute plan "%(key)s" is %(status)s and takes no more tasks; register another plan.'
        )
        message %= {"key": key, "status": PlanStatus(status).label}
        yield Problem(Code.TERMINATED, message, "compute_plan_key", key=str(key))


def check_can_be_cancelled(status: str, key: UUID) -> Iterator[Problem]:
    """A cancelled or failed plan cannot be cancelled."""
    if status in TERMINATED:
        message = _(
            'compute plan "%(key)s" is %(status)s already; there is nothing left to cancel.'
        )
        message %= {"key": key, "status": PlanStatus(status).label}
        yield Problem(Code.TERMINATED, message)


def check_unique_keys(specs: Sequence[TaskSpec]) -> Iterator[Problem]:
    """No key occurs twice in a batch."""
    repeated = {key for key, times in Counter(spec.key for spec in specs).items() if times > 1}
    for index, spec in enumerate(specs) if repeated else ():
        if spec.key in repeated:
            message = _('"%(key)s" occurs twice in this batch.') % {"key": spec.key}
            yield _invalid(f"tasks[{index}].key", message)


def check_task_values(spec: TaskSpec) -> Iterator[Problem]:
    """2, 3: metadata, tag, and that each input names one source."""
    yield from check_metadata(spec.metadata, asset=TASK)
    yield from check_text(spec.tag, asset=TASK, field="tag")
    if all(map(_names_one_source, spec.inputs)):
        return
    for position, group in placed(spec.inputs):
        if not group.identifier:
            message = _("is missing. Name an input of the function.")
            for index in range(position, position + group.size):
                yield _invalid(f"inputs[{index}].identifier", message)
        yield from _check_source(group, f"inputs[{position}]")


def _names_one_source(group: InputGroup) -> bool:
    identifier, keys, parent, output = group
    has_parent = parent is not None
    return bool(identifier) and has_parent == (output is not None) and has_parent != bool(keys)


def _check_source(group: InputGroup, field: str) -> Iterator[Problem]:
    has_parent = group.parent_task_key is not None
    if has_parent == bool(group.asset_keys):
        message = _("give either asset_key, or parent_task_key with parent_task_output_identifier.")
        yield _invalid(field, message)
    elif has_parent != (group.parent_task_output_identifier is not None):
        field = f"{field}.{'parent_task_output_identifier' if has_parent else 'parent_task_key'}"
        yield _invalid(field, _("is missing. A parent is named by its key and its output."))


def check_graph(
    specs: Sequence[TaskSpec],
    index_of: Mapping[UUID, int],
    ranks: Mapping[UUID, int],
    context: BatchContext,
) -> Iterator[Problem]:
    """5: every parent is known and no task depends on itself."""
    unsorted = {spec.key: spec for spec in specs if spec.key not in ranks}
    unknown, cyclic = [], []
    for key, spec in unsorted.items():
        for position, group in placed(spec.inputs):
            parent = group.parent_task_key
            where = f"tasks[{index_of[key]}].inputs[{position}].parent_task_key"
            if parent in unsorted:
                cyclic.append(_invalid(where, _cycle_message(len(unsorted), parent)))
            elif parent and parent not in ranks and parent not in context.tasks:
                unknown.append(_invalid(where, _unknown_message(len(unsorted), parent)))
    # A task below an unknown parent is not itself wrong: report the parent.
    yield from unknown or cyclic


def _cycle_message(count: int, parent: UUID | None) -> str:
    # "missing dependency ...": the words of the SDK, which finds a cycle itself unless the plan
    # was registered before.
    return _(
        "cyclic dependency in compute plan graph or unknown task parent, "
        "unsorted_tasks_count: %(count)d; missing dependency among inModels IDs, circular "
        'dependency found: "%(parent)s" is in or below a cycle.'
    ) % {"count": count, "parent": parent}


def _unknown_message(count: int, parent: UUID) -> str:
    return _(
        "cyclic dependency in compute plan graph or unknown task parent, "
        'unsorted_tasks_count: %(count)d; no task has the key "%(parent)s".'
    ) % {"count": count, "parent": parent}
