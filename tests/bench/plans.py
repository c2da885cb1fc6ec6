"""Compute plans and their tasks, some of each status, with what their tasks have made."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from assets.common.asset_keys import AssetKeys
from assets.common.kinds import AssetKind
from assets.compute.inputs import InputRef, grouped
from assets.compute.specs import ComputePlanSpec, OutputSpec, TaskSpec
from assets.compute.statuses import COUNTERS, ErrorType, PlanStatus, TaskStatus, plan_status
from assets.functions.models import FunctionStatus

from .rows import Table, moment, plain, write_all
from .stock import TOGETHER, Dataset, Stock, new_key, public
from .world import ORGANIZATIONS

# A plan is this number of parallel chains: clients, which train round after round.
CHAINS = 10
# Of ten plans, what became of them.
FATES = ("done",) * 4 + ("doing",) * 2 + ("created",) * 2 + ("failed", "canceled")
# The outputs of a task, by its owner and whether its model is for the three only.
_OUTPUTS = {
    (owner, together): {
        "model": OutputSpec(TOGETHER if together else public(owner)),
        "performance": OutputSpec(public(owner)),
    }
    for owner in ORGANIZATIONS
    for together in (True, False)
}
MODEL_CHECKSUM = hashlib.sha256(b"weights").hexdigest()


@dataclass(slots=True)
class Plan:
    """A plan in the making."""

    number: int
    rounds: int
    owner: str
    created: datetime
    random: Random
    key: str = ""
    counts: Counter[TaskStatus] = field(default_factory=Counter)
    failed_task_key: str | None = None
    tasks: list[str] = field(default_factory=list)
    times: dict[int, str] = field(default_factory=dict)

    @property
    def fate(self) -> str:
        return FATES[self.number % len(FATES)]

    @property
    def reached(self) -> int:
        """The round that is not done; the last one is, unless the plan still runs or was ended."""
        return self.rounds // 2 if self.fate in ("doing", "canceled") else self.rounds

    @property
    def started(self) -> str | None:
        return None if self.fate == "created" else self.time_of(0)

    @property
    def ended(self) -> str | None:
        return None if self.fate in ("created", "doing") else self.time_of(self.reached)

    def time_of(self, round_: int) -> str:
        """When the tasks of a round begin; each takes a minute."""
        if round_ not in self.times:
            self.times[round_] = moment(self.created + timedelta(minutes=round_))
        return self.times[round_]

    def status_of(self, round_: int, chain: int) -> TaskStatus:
        if self.fate == "created":
            return TaskStatus.WAITING_FOR_BUILDER_SLOT
        if round_ < self.reached:
            fails = self.fate == "failed" and (round_, chain) == (self.rounds - 1, 0)
            return TaskStatus.FAILED if fails else TaskStatus.DONE
        if self.fate == "canceled":
            return TaskStatus.CANCELED
        running = round_ == self.reached
        return TaskStatus.EXECUTING if running else TaskStatus.WAITING_FOR_PARENT_TASKS

    def dates_of(self, round_: int, status: TaskStatus) -> tuple[str | None, str | None]:
        begin, end = self.time_of(round_), self.time_of(round_ + 1)
        if status == TaskStatus.CANCELED:
            return None, self.time_of(self.reached)
        if status in (TaskStatus.DONE, TaskStatus.FAILED):
            return begin, end
        return (begin, None) if status == TaskStatus.EXECUTING else (None, None)


class Plans:
    """The plans of a stock, and the tables that they are written to."""

    def __init__(self, stock: Stock) -> None:
        self.stock, self.events = stock, stock.events
        self._outputs_made = 0
        asset = ("key", "owner_id", "creation_date")
        dates = ("start_date", "end_date")
        self._plans = Table(
            "ComputePlan",
            *(*asset, *dates, "metadata", "name", "tag", "creator_id", "digest", "status"),
            *("cancelation_date", "failed_task_key", "task_count", *COUNTERS.values()),
        )
        self._tasks = Table(
            "Task",
            *(*asset, *dates, "metadata", "compute_plan_id", "function_id", "worker_id"),
            *("rank", "tag", "status", "error_type", "logs_permission_id", "digest"),
        )
        self._sets = Table("SampleSet", "id", "keys", "count", "digest")
        self._members = Table("SampleSetMember", "sample_set_id", "data_sample_id")
        # The list of each data sample alone.
        self._set_ids: dict[str, int] = {}
        self._inputs = Table(
            "TaskInput",
            *("task_id", "position", "identifier", "dataset_id", "sample_set_id"),
            *("parent_task_id", "parent_output_identifier"),
        )
        self._outputs = Table(
            "TaskOutput", "id", "task_id", "identifier", "permissions_id", "transient"
        )
        file = ("file", "file_checksum", "file_size")
        self._models = Table("Model", *asset, "permissions_id", "output_id", "task_id", *file)
        self._performances = Table("Performance", "output_id", "value", "creation_date")
        self._failures = Table("FailureReport", "key", "task_id", "error_type", "creation_date")
        # What each organisation may process with.
        self._datasets = {
            name: [item for item in stock.datasets if item.may_use.allows(name)]
            for name in stock.users
        }
        self._functions = {
            (name, ready): [
                item
                for item in stock.functions
                if item.may_use.allows(name) and (item.status == FunctionStatus.READY) == ready
            ]
            for name in stock.users
            for ready in (True, False)
        }

    def write(self) -> None:
        """Write what was added, in one transaction."""
        write_all(
            [
                *(self._plans, self._tasks, self._sets, self._members),
                *(self._inputs, self._outputs),
                *(self._models, self._performances, self._failures, self.events.table),
            ]
        )

    def add(self, number: int, tasks: int, created: datetime, seed: int) -> None:
        """Add a plan of `tasks` tasks; the same number and seed make the same plan."""
        owner = tuple(self.stock.users)[number % len(self.stock.users)]
        random = Random(f"{seed} {number}")
        plan = Plan(number, max(1, tasks // CHAINS), owner, created, random, new_key(random))
        datasets = random.choices(self._datasets[owner], k=CHAINS)
        functions = random.choices(self._functions[owner, plan.fate != "created"], k=5)
        chains = [""] * CHAINS
        for round_ in range(plan.rounds):
            before = list(chains)
            for chain, dataset in enumerate(datasets):
                # Now and then a client goes on with what its neighbour has made.
                parent = before[chain - 1 if random.random() < 0.2 else chain]
                function = functions[(round_ + chain) % 5].key
                chains[chain] = self._add_task(plan, round_, chain, dataset, function, parent)
        self._add_plan(plan)

    def _add_task(
        self, plan: Plan, round_: int, chain: int, dataset: Dataset, function: str, parent: str
    ) -> str:
        key, status = new_key(plan.random), plan.status_of(round_, chain)
        sample, tag, metadata = plan.random.choice(dataset.samples), f"round-{round_}", {}
        if chain % 2:
            metadata = {"round": str(round_), "client": dataset.owner}
        inputs = [("opener", dataset.key, None, ""), ("datasamples", None, sample, "")]
        if parent:
            inputs.append(("shared", None, None, parent))
        outputs = _OUTPUTS[plan.owner, chain % 3 > 0]
        digest = _digest(plan.owner, function, tag, metadata, inputs, outputs)
        self._tasks.add(
            *(key, plan.owner, plan.time_of(0), *plan.dates_of(round_, status)),
            *(plain(metadata), plan.key, function, dataset.owner, round_, tag, status.value),
            ErrorType.EXECUTION.value if status == TaskStatus.FAILED else "",
            *(self.stock.permissions[dataset.logs], digest),
        )
        self._inputs.extend(
            (
                key,
                position,
                name,
                opener,
                data_sample and self._set_of(data_sample),
                above or None,
                "model" if above else "",
            )
            for position, (name, opener, data_sample, above) in enumerate(inputs)
        )
        self._add_outputs(plan, round_, key, dataset.owner, status, outputs)
        plan.counts[status] += 1
        plan.tasks.append(key)
        return key

    def _set_of(self, sample: str) -> int:
        if sample not in self._set_ids:
            number = self._set_ids[sample] = len(self._set_ids) + 1
            keys = AssetKeys([UUID(sample)])
            self._sets.add(number, keys.json.decode(), 1, keys.digest)
            self._members.add(number, sample)
        return self._set_ids[sample]

    def _add_outputs(
        self,
        plan: Plan,
        round_: int,
        task: str,
        worker: str,
        status: TaskStatus,
        outputs: dict[str, OutputSpec],
    ) -> None:
        end = plan.time_of(round_ + 1)
        for identifier, (permissions, _) in outputs.items():
            self._outputs_made += 1
            number = self._outputs_made
            self._outputs.add(number, task, identifier, self.stock.permissions[permissions], 0)
            if status != TaskStatus.DONE:
                continue
            if identifier == "performance":
                self._performances.add(number, round(plan.random.random(), 4), end)
            else:
                key = new_key(plan.random)
                may_use = self.stock.permissions[permissions.owned_by(worker)]
                file = (f"models/{key}", MODEL_CHECKSUM, 7)
                self._models.add(key, worker, end, may_use, number, task, *file)
        if status == TaskStatus.FAILED:
            plan.failed_task_key = task
            self._failures.add(new_key(plan.random), task, ErrorType.EXECUTION.value, end)

    def _add_plan(self, plan: Plan) -> None:
        name, tag = f"Study {plan.number}", f"phase-{plan.number % 7}"
        metadata = {"disease": ("melanoma", "sepsis", "asthma")[plan.number % 3]}
        status = plan_status(dict(plan.counts), cancelled=plan.fate == "canceled")
        begin, end = plan.started, plan.ended
        self._plans.add(
            *(plan.key, plan.owner, plan.time_of(0), begin, end, plain(metadata), name, tag),
            self.stock.users[plan.owner].pk,
            ComputePlanSpec(UUID(plan.key), name, tag, metadata).digest(),
            *(status.value, end if plan.fate == "canceled" else None, plan.failed_task_key),
            *(plan.counts.total(), *(plan.counts[item] for item in COUNTERS)),
        )
        self._record(plan, name, status, begin, end)

    def _record(
        self, plan: Plan, name: str, status: PlanStatus, begin: str | None, end: str | None
    ) -> None:
        def happened(action: str, when: str | None, **detail: str) -> None:
            if when:
                kind = AssetKind.COMPUTE_PLAN
                self.events.add(plan.owner, action, kind, {plan.key: name}, when, **detail)

        happened("registered", plan.time_of(0))
        tasks = dict.fromkeys(plan.tasks, "")
        self.events.add(plan.owner, "registered", AssetKind.COMPUTE_TASK, tasks, plan.time_of(0))
        happened("started", begin)
        happened("canceled", end if plan.fate == "canceled" else None)
        failed = plan.failed_task_key
        detail = {"first_failed_task_key": _spelt(failed)} if failed else {}
        happened("ended", end, status=status.removeprefix("PLAN_"), **detail)


def _digest(
    owner: str,
    function: str,
    tag: str,
    metadata: dict[str, str],
    inputs: list[tuple[str, str | None, str | None, str]],
    outputs: dict[str, OutputSpec],
) -> str:
    # Keys are given as the digest's JSON spells them: UUIDs would be made only to be spelt so.
    refs = [
        InputRef(identifier, None, _spelt(parent), "model")
        if parent
        else InputRef(identifier, _spelt(dataset or sample))
        for identifier, dataset, sample, parent in inputs
    ]
    spec = TaskSpec("", _spelt(function), "", None, tag, metadata, grouped(refs), outputs)
    return spec.digest(owner)


def _spelt(key: str) -> str:
    return f"{key[:8]}-{key[8:12]}-{key[12:16]}-{key[16:20]}-{key[20:]}"
