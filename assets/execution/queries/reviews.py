"""What tasks would do to the data of an organisation, for who decides about them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db.models import Count, OuterRef, QuerySet

from ...common.db.aggregates import CountOf
from ...common.kinds import AssetKind
from ...compute.models import Task, TaskInput, TaskOutput
from ...datasets.models import Dataset, SampleSetMember
from ...functions.models import Function
from ...functions.queries import outputs_of
from ...permissions.models import Permissions


class FunctionUse(NamedTuple):
    """A function and how many of the tasks run it."""

    function: Function
    tasks: int


class OutputUse(NamedTuple):
    """Outputs of tasks that run one function, with the same permissions."""

    function: Function
    identifier: str
    kind: AssetKind
    permissions: Permissions
    # The organisations that may use it, unless it is public.
    users: Sequence[str]
    transient: bool
    # How many tasks make it.
    tasks: int


@dataclass(frozen=True)
class Review:
    """What tasks run, on which data, and who gets what comes of it."""

    organization_id: str
    functions: Sequence[FunctionUse]
    # With `tasks` and `samples`: how many tasks take it, and how many of its data samples.
    datasets: Sequence[Any]
    outputs: Sequence[OutputUse]
    # How many tasks of other organisations take models that these tasks make.
    takers: dict[str, int] = field(default_factory=dict)
    # Who may read the logs of a task that fails.
    logs: Sequence[Permissions] = ()

    @property
    def models(self) -> int:
        """How many models the tasks make; an output with any number of models counts once."""
        return sum(use.tasks for use in self._models())

    @property
    def leaving(self) -> int:
        """How many of the models other organisations may use."""
        return sum(
            use.tasks for use in self._models() if use.permissions.public or self._named(use)
        )

    @property
    def public(self) -> int:
        """How many of the models everyone may use."""
        return sum(use.tasks for use in self._models() if use.permissions.public)

    @property
    def readers(self) -> dict[str, int]:
        """How many of the models each other organisation may use that permissions name."""
        found: Counter[str] = Counter()
        for use in self._models():
            if not use.permissions.public:
                found.update(dict.fromkeys(self._named(use), use.tasks))
        return dict(sorted(found.items()))

    @property
    def logs_are_public(self) -> bool:
        """Whether everyone may read the logs of one of the tasks."""
        return any(permissions.public for permissions in self.logs)

    @property
    def log_readers(self) -> list[str]:
        """The other organisations that may read the logs of one of the tasks."""
        named = {name for permissions in self.logs for name in permissions.authorized_ids}
        return sorted(named - {self.organization_id})

    def _models(self) -> list[OutputUse]:
        return [use for use in self.outputs if use.kind == AssetKind.MODEL]

    def _named(self, use: OutputUse) -> list[str]:
        return sorted({*use.users} - {self.organization_id})


def review_of(tasks: QuerySet[Task], organization_id: str) -> Review:
    """Return what these tasks of an organisation do; nine queries, however many they are."""
    tasks = tasks.order_by()
    counts = dict(tasks.values_list("function_id").annotate(count=Count("pk")))
    functions = Function.objects.select_related("permissions").in_bulk(counts)
    named = sorted(functions.values(), key=lambda function: (function.name, function.pk))
    return Review(
        organization_id,
        [FunctionUse(function, counts[function.pk]) for function in named],
        list(_datasets(tasks)),
        _outputs(tasks, functions, organization_id),
        _takers(tasks, organization_id),
        list(Permissions.objects.filter(pk__in=tasks.values("logs_permission"))),
    )


def _datasets(tasks: QuerySet[Task]) -> QuerySet[Dataset]:
    inputs = TaskInput.objects.filter(task__in=tasks).order_by()
    taking = inputs.filter(dataset=OuterRef("pk"))
    # One level deeper: in the query of samples.
    sets = inputs.filter(sample_set__isnull=False, task__inputs__dataset=OuterRef(OuterRef("pk")))
    samples = SampleSetMember.objects.filter(sample_set__in=sets.values("sample_set"))
    taken = Dataset.objects.filter(pk__in=inputs.filter(dataset__isnull=False).values("dataset"))
    return taken.annotate(
        tasks=CountOf(taking.values("pk")),
        samples=CountOf(samples.order_by().values("data_sample").distinct()),
    ).order_by("name_order", "key")


def _outputs(
    tasks: QuerySet[Task], functions: dict[Any, Function], organization_id: str
) -> list[OutputUse]:
    rows = TaskOutput.objects.filter(task__in=tasks).order_by()
    columns = ("task__function_id", "identifier", "permissions_id", "transient")
    found = list(rows.values_list(*columns).annotate(count=Count("pk")))
    kinds = outputs_of(list(functions))
    permissions = Permissions.objects.in_bulk({row[2] for row in found})
    uses = [
        OutputUse(
            functions[function],
            identifier,
            AssetKind(kinds[function][identifier]["kind"]),
            permissions[value],
            # The worker owns what its tasks make.
            sorted({*permissions[value].authorized_ids, organization_id}),
            transient,
            count,
        )
        for function, identifier, value, transient, count in found
    ]
    return sorted(uses, key=lambda use: (use.function.name, use.function.pk, use.identifier))


def _takers(tasks: QuerySet[Task], organization_id: str) -> dict[str, int]:
    inputs = TaskInput.objects.filter(parent_task__in=tasks).exclude(task__worker=organization_id)
    rows = inputs.order_by("task__worker_id").values_list("task__worker_id")
    return dict(rows.annotate(count=Count("task_id", distinct=True)))
