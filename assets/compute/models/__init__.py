"""Compute plans and tasks, and what tasks make: models, performances, reports and steps."""

from .results import FailureReport, Model, Performance, ProfilingStep
from .tasks import SOURCES, ComputePlan, Task, TaskInput, TaskOutput

__all__ = [
    "SOURCES",
    "ComputePlan",
    "FailureReport",
    "Model",
    "Performance",
    "ProfilingStep",
    "Task",
    "TaskInput",
    "TaskOutput",
]
