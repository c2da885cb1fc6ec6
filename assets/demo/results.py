"""What the demo's first study made when it ran: files, numbers and times, registered as runners do.

`files/results/` is a real run, recorded by `python -m tests.demo.recording`.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from django.core.files.base import ContentFile

from ..common.audit import Agent
from ..compute.models import Task
from ..compute.registration import report_steps
from ..compute.registration.progress import move_function, move_tasks
from ..compute.registration.results import finish_task, register_model
from ..compute.specs import ComputePlanSpec, TaskSpec
from ..compute.statuses import TaskStatus
from ..functions.models import Function, FunctionStatus
from .hospitals import FILES, SLUGS

RESULTS = FILES / "results"


def result_name(task: TaskSpec) -> str:
    """Return the folder of what a task made, such as ``round-1/train-curie``."""
    return f"round-{task.metadata['round_idx']}/{task.tag}-{SLUGS[task.worker]}"


def register_results(study: ComputePlanSpec, functions: Mapping[str, UUID]) -> None:
    """Build the functions and run the tasks of a study, with the results that are recorded.

    Raises:
        Refused: something of the study has begun already.
    """
    recorded = json.loads((RESULTS / "results.json").read_text())
    for name, key in functions.items():
        function = Function.objects.get(pk=key)
        if function.status != FunctionStatus.WAITING:
            continue
        agent = _runner_of(function.owner_id)
        move_function(key, FunctionStatus.BUILDING, agent)
        report_steps(function, recorded["functions"][name], agent)
        move_function(key, FunctionStatus.READY, agent)
    for task in study.tasks:
        _run(task, recorded["tasks"][result_name(task)])


def _run(spec: TaskSpec, recorded: Mapping[str, Any]) -> None:
    agent = _runner_of(spec.worker)
    move_tasks([spec.key], TaskStatus.EXECUTING, agent)
    for identifier in spec.outputs.keys() - recorded["performances"].keys():
        content = (RESULTS / result_name(spec) / identifier).read_bytes()
        register_model(
            spec.key,
            identifier,
            uuid5(NAMESPACE_URL, f"{spec.key}/{identifier}"),
            ContentFile(content, name=identifier),
            hashlib.sha256(content).hexdigest(),
            agent,
        )
    report_steps(Task.objects.get(pk=spec.key), recorded["steps"], agent)
    finish_task(spec.key, agent, recorded["performances"])


def _runner_of(organization: str) -> Agent:
    return Agent(organization, f"runner {SLUGS[organization]}")
