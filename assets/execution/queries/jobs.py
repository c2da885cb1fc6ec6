"""What a runner must know of its jobs: their functions, inputs and outputs.

Inputs have the order of the task's, except that data samples come last, as functions expect them.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from ...common.db.compiled import Compiled
from ...common.kinds import AssetKind
from ...compute.models import Model, Task, TaskInput
from ...datasets.models import DataSample, Dataset
from ...functions.models import Function, FunctionInput, FunctionOutput
from ..models import Job, Trial


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


class Code(NamedTuple):
    """A function, as a runner needs it."""

    key: UUID
    name: str
    checksum: str
    size: int


class Output(NamedTuple):
    """An output of a function."""

    identifier: str
    kind: str
    multiple: bool


class Interface(NamedTuple):
    """What a function takes and makes: of each input, whether it is multiple."""

    inputs: Mapping[str, bool]
    outputs: Sequence[Output]


class Work(NamedTuple):
    """A job with what it needs.

    Attributes:
        kind: what kind of work it is: build, task, trial or look.
        fake_samples: how many data samples a dry run invents.
    """

    job: Job
    kind: str
    function: Code | None = None
    task: Task | None = None
    inputs: Sequence[Input] = ()
    outputs: Sequence[Output] = ()
    fake_samples: int | None = None


def work_of_jobs(jobs: Sequence[Job]) -> list[Work]:
    """Return the jobs, in their order, with what they need."""
    tasks = {job.task_id: job.task for job in jobs if job.task}
    functions = {job.function_id for job in jobs} | {task.function_id for task in tasks.values()}
    code = {row[0]: Code._make(row) for row in _code(functions - {None})} if functions else {}
    inputs = _inputs_of(tasks.values())
    looks = _samples([str(job.data_sample_id) for job in jobs if job.data_sample_id])
    found = []
    for job in jobs:
        if job.data_sample_id:
            seen = Input("datasamples", True, looks[job.data_sample_id])
            work = Work(job, "look", inputs=[seen])
        elif job.trial_id:
            work = _work_of_trial(job, job.trial_id)
        elif job.task:
            function = job.task.function_id
            outputs = interface_of(function).outputs
            work = Work(job, "task", code[function], job.task, inputs[job.task.key], outputs)
        else:
            work = Work(job, "build", code[job.function_id])
        found.append(work)
    return found


def _work_of_trial(job: Job, key: UUID) -> Work:
    """Return a dry run with what it needs: queries of its own, since dry runs are rare."""
    trial = Trial.objects.select_related("function", "dataset").get(pk=key)
    function, dataset = trial.function, trial.dataset
    code = Code(function.key, function.name, function.archive_checksum, function.archive_size)
    outputs = interface_of(function.key).outputs
    if dataset is None:
        return Work(job, "trial", code, outputs=outputs)
    taken = FunctionInput.objects.get(function=function, kind=AssetKind.DATA_MANAGER)
    file = (dataset.key, dataset.opener_checksum, dataset.opener_size)
    opener = Input(taken.identifier, taken.multiple, Source(AssetKind.DATA_MANAGER, *file))
    return Work(job, "trial", code, None, [opener], outputs, trial.fake_samples)


@Compiled
def _code(keys: Any) -> QuerySet:
    functions = Function.objects.filter(pk__any=keys).order_by()
    return functions.values_list("key", "name", "archive_checksum", "archive_size")


@lru_cache(maxsize=1000)
def interface_of(function: UUID) -> Interface:
    """Return what a function takes and makes, which never changes; two queries the first time."""
    inputs = FunctionInput.objects.filter(function=function)
    outputs = FunctionOutput.objects.filter(function=function).order_by("position")
    return Interface(
        dict(inputs.values_list("identifier", "multiple")),
        list(map(Output._make, outputs.values_list(*Output._fields))),
    )


def function_of(job: Job) -> Function:
    """Return the function that a job runs or builds; one query. Raises: DoesNotExist."""
    if job.trial_id:
        return Function.objects.get(trials=job.trial_id)
    about = {"tasks": job.task_id} if job.task_id else {"pk": job.function_id}
    return Function.objects.get(**about)


def _inputs_of(tasks: Collection[Task]) -> dict[UUID, list[Input]]:
    """Return the inputs of tasks, by key."""
    rows = list(map(_Row._make, _rows([task.key for task in tasks]))) if tasks else []
    sources = _Sources(rows)
    found = {}
    for task in tasks:
        multiple = interface_of(task.function_id).inputs
        inputs = [
            Input(row.identifier, multiple[row.identifier], source)
            for row in rows
            if row.task == task.key
            for source in sources.of(row)
        ]
        # Sorting keeps the order of equals.
        found[task.key] = sorted(inputs, key=lambda one: one.source.kind == AssetKind.DATA_SAMPLE)
    return found


class _Row(NamedTuple):
    """A row of `TaskInput`; `samples` are the keys of the list of data samples."""

    task: UUID
    identifier: str
    dataset: UUID | None
    samples: Sequence[str] | None
    model: UUID | None
    parent: UUID | None
    output: str


@Compiled
def _rows(tasks: Any) -> QuerySet:
    rows = TaskInput.objects.filter(task_id__any=tasks).order_by("task_id", "position")
    source = ("dataset_id", "sample_set__keys", "model_id", "parent_task_id")
    return rows.values_list("task_id", "identifier", *source, "parent_output_identifier")


class _Sources:
    """The assets that rows of inputs stand for, read with one query for each kind."""

    def __init__(self, rows: Sequence[_Row]) -> None:
        self._datasets = _files(AssetKind.DATA_MANAGER, {row.dataset for row in rows})
        self._samples = _samples({key for row in rows for key in row.samples or ()})
        self._models = _files(AssetKind.MODEL, {row.model for row in rows})
        self._made: dict[tuple[UUID | None, str], list[Source]] = defaultdict(list)
        parents = {row.parent for row in rows} - {None}
        for task, output, *file in _models_of(parents) if parents else ():
            self._made[task, output].append(Source(AssetKind.MODEL, *file))

    def of(self, row: _Row) -> Sequence[Source]:
        """Return what a row stands for."""
        if row.dataset:
            return [self._datasets[row.dataset]]
        if row.samples is not None:
            return [self._samples[UUID(key)] for key in row.samples]
        if row.model:
            return [self._models[row.model]]
        return self._made[row.parent, row.output]


@Compiled
def _openers(keys: Any) -> QuerySet:
    datasets = Dataset.objects.filter(pk__any=keys).order_by()
    return datasets.values_list("key", "opener_checksum", "opener_size")


@Compiled
def _models(keys: Any) -> QuerySet:
    models = Model.objects.filter(pk__any=keys).order_by()
    return models.values_list("key", "file_checksum", "file_size")


@Compiled
def _models_of(tasks: Any) -> QuerySet:
    models = Model.objects.filter(task_id__any=tasks).order_by("creation_date", "key")
    file = ("key", "file_checksum", "file_size")
    return models.values_list("task_id", "output__identifier", *file)


def _files(kind: AssetKind, keys: Collection[UUID | None]) -> dict[UUID, Source]:
    """Return the files of datasets or of models, by key."""
    wanted = [key for key in keys if key]
    read = _openers if kind == AssetKind.DATA_MANAGER else _models
    return {row[0]: Source(kind, *row) for row in read(wanted)} if wanted else {}


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
