"""What a runner must know of its jobs: their functions, inputs and outputs.

Inputs have the order of the task's, except that data samples come last, as functions expect them.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple
from uuid import UUID

from ...common.kinds import AssetKind
from ...compute.models import Model, Task, TaskInput
from ...datasets.models import DataSample, Dataset
from ...functions.models import Function, FunctionInput, FunctionOutput
from ..models import Job


class Source(NamedTuple):
    """An asset that a task takes, and how its content reaches the runner.

    Attributes:
        path: of a folder below the data root of runners; blank for what is downloaded.
        is_folder: whether it is a folder on the server, of which the checksum is that of its
            content, not that of the archive that is downloaded.
    """

    kind: AssetKind
    key: UUID
    checksum: str
    size: int
    path: str = ""
    is_folder: bool = False


class Input(NamedTuple):
    """One input of a job."""

    identifier: str
    multiple: bool
    source: Source


class Work(NamedTuple):
    """A job with what it needs.

    Attributes:
        kind: what kind of work it is: build, task, trial or look.
        fake_samples: how many data samples a dry run invents.
    """

    job: Job
    kind: str
    function: Function | None
    task: Task | None
    inputs: Sequence[Input]
    outputs: Sequence[FunctionOutput]
    fake_samples: int | None = None


def work_of_jobs(jobs: Sequence[Job]) -> list[Work]:
    """Return the jobs, in their order, with what they need."""
    tasks = Task.objects.in_bulk([job.task_id for job in jobs if job.task_id])
    functions = Function.objects.in_bulk(
        [job.function_id for job in jobs if job.function_id]
        + [task.function_id for task in tasks.values()]
    )
    run = {task.function_id for task in tasks.values()}
    outputs: dict[UUID, list[FunctionOutput]] = defaultdict(list)
    for output in FunctionOutput.objects.filter(function__in=run).order_by("position"):
        outputs[output.function_id].append(output)
    inputs = _inputs_of(tasks)
    looks = _samples([str(job.data_sample_id) for job in jobs if job.data_sample_id])
    found = []
    for job in jobs:
        if job.data_sample_id:
            seen = Input("datasamples", True, looks[job.data_sample_id])
            found.append(Work(job, "look", None, None, [seen], ()))
            continue
        task = tasks.get(job.task_id) if job.task_id else None
        function = functions.get(task.function_id if task else job.function_id)
        found.append(
            Work(
                job,
                "task" if task else "build",
                function,
                task,
                inputs.get(task.key, ()) if task else (),
                outputs[function.key] if task and function else (),
            )
        )
    return found


def function_of(job: Job) -> Function:
    """Return the function that a job runs or builds; one query. Raises: DoesNotExist."""
    about = {"tasks": job.task_id} if job.task_id else {"pk": job.function_id}
    return Function.objects.get(**about)


def _inputs_of(tasks: Mapping[UUID, Task]) -> dict[UUID, list[Input]]:
    if not tasks:
        return {}
    rows = TaskInput.objects.filter(task__in=tasks).select_related("sample_set")
    by_task: dict[UUID, list[TaskInput]] = defaultdict(list)
    for row in rows.order_by("task", "position"):
        by_task[row.task_id].append(row)
    sources = _Sources(list(chain.from_iterable(by_task.values())))
    run = {task.function_id for task in tasks.values()}
    multiple = {
        (function, identifier): many
        for function, identifier, many in FunctionInput.objects.filter(
            function__in=run
        ).values_list("function_id", "identifier", "multiple")
    }
    found = {}
    for key, rows_of_task in by_task.items():
        function = tasks[key].function_id
        inputs = [
            Input(row.identifier, multiple[function, row.identifier], source)
            for row in rows_of_task
            for source in sources.of(row)
        ]
        # Sorting keeps the order of equals.
        found[key] = sorted(inputs, key=lambda one: one.source.kind == AssetKind.DATA_SAMPLE)
    return found


class _Sources:
    """The assets that rows of inputs stand for, read with one query for each kind."""

    def __init__(self, rows: Iterable[TaskInput]) -> None:
        rows = list(rows)
        self._datasets = _by_key(
            AssetKind.DATA_MANAGER,
            Dataset.objects.filter(key__any=[row.dataset_id for row in rows if row.dataset_id]),
            "opener",
        )
        samples = {key for row in rows if row.sample_set for key in row.sample_set.keys}
        self._samples = _samples(samples)
        models = Model.objects.filter(key__any=[row.model_id for row in rows if row.model_id])
        made = Model.objects.filter(
            task_id__any={row.parent_task_id for row in rows if row.parent_task_id}
        )
        self._models = _by_key(AssetKind.MODEL, models, "file")
        self._made: dict[tuple[UUID | None, str], list[Source]] = defaultdict(list)
        for model in made.select_related("output").order_by("creation_date", "key"):
            source = Source(AssetKind.MODEL, model.key, model.file_checksum, model.file_size)
            self._made[model.task_id, model.output.identifier].append(source)

    def of(self, row: TaskInput) -> Iterable[Source]:
        """Return what a row stands for."""
        if row.dataset_id:
            return [self._datasets[row.dataset_id]]
        if row.sample_set:
            return [self._samples[UUID(key)] for key in row.sample_set.keys]
        if row.model_id:
            return [self._models[row.model_id]]
        return self._made[row.parent_task_id, row.parent_output_identifier]


def _by_key(kind: AssetKind, rows: Any, field: str) -> dict[UUID, Source]:
    columns = rows.values_list("key", f"{field}_checksum", f"{field}_size")
    return {key: Source(kind, key, checksum, size) for key, checksum, size in columns}


def _samples(keys: Collection[str]) -> dict[UUID, Source]:
    if not keys:
        return {}
    found = {}
    rows = DataSample.objects.filter(key__any=list(keys)).select_related("found")
    for sample in rows:
        seen = sample.found if sample.at_runner else sample
        path = sample.path if sample.at_runner else ""
        is_folder = bool(sample.path) and not sample.at_runner
        found[sample.key] = Source(
            AssetKind.DATA_SAMPLE, sample.key, seen.checksum, seen.size, path, is_folder
        )
    return found
