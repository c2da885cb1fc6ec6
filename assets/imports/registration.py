"""Registers the rows of an import one by one, by the functions of the rooms that own the assets.

A run can be interrupted at any moment and started again: the key of an asset derives from its row,
and rows whose key is registered are skipped.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import groupby, islice
from typing import Any
from uuid import UUID

from django.core.files.base import File
from django.db import IntegrityError
from django.utils.translation import gettext as _

from ..accounts.models import User
from ..common.errors import Problem, Refused, refuse_if
from ..common.files.storage import StorageError
from ..datasets.models import DataSample, Dataset
from ..datasets.registration import (
    check_data_samples,
    check_dataset,
    register_data_samples,
    register_dataset,
)
from ..datasets.specs import DataSampleSpec
from ..functions.models import Function
from ..functions.registration import check_function, register_function
from ..permissions.access import check_may_register
from .lists import read_lists
from .reading import AnySpec, RowReader, key_of_spec, read_dataset, read_function, read_sample
from .sources import Source, Unusable
from .specs import DATA_SAMPLES, DATASETS, FUNCTIONS, RUNNER_PATHS, ListKind, Outcome, Row, State

# Rows whose keys are looked up together; as many data samples are registered together.
BATCH = 100
MODELS: dict[ListKind, Any] = {
    DATASETS: Dataset,
    FUNCTIONS: Function,
    DATA_SAMPLES: DataSample,
}
CHECK: dict[ListKind, Any] = {DATASETS: check_dataset, FUNCTIONS: check_function}
REGISTER: dict[ListKind, Any] = {DATASETS: register_dataset, FUNCTIONS: register_function}


@dataclass(slots=True)
class _Item:
    """A row with its spec, and its key unless the row cannot be read."""

    row: Row
    spec: Any
    problems: list[Problem]
    key: UUID | None = None

    def outcome(self, state: State, problems: Sequence[Problem] = ()) -> Outcome:
        return Outcome(self.row, state, self.spec, self.key, problems)

    def checked(self, problems: Sequence[Problem], *, dry_run: bool = True) -> Outcome:
        """Return the outcome of a row with these problems, which is registered without any."""
        done = State.NEW if dry_run else State.REGISTERED
        return self.outcome(State.REFUSED if problems else done, problems)


class Import:
    """The rows of a source's lists, and what becomes of them.

    Raises:
        Refused: the actor may not register.
        NoLists: the source has no list.
    """

    def __init__(self, source: Source, actor: User) -> None:
        refuse_if(check_may_register(actor))
        self.source, self.actor = source, actor
        self.rows = read_lists(source)
        # Of two rows with one name, the first one counts.
        self._datasets = {row.name: row for row in reversed(self.rows) if row.kind is DATASETS}
        # The keys of datasets by name; None for those that are not registered.
        self._keys: dict[str, UUID | None] = {}
        # Those that a dry run would have registered.
        self._upcoming: set[UUID] = set()

    def outcomes(self, *, dry_run: bool = False, start: int = 0) -> Iterator[Outcome]:
        """Register the rows from `start` on; yield the outcome of each in their order.

        Args:
            dry_run: check the rows, and write nothing.

        Raises:
            StorageError, DatabaseError: the files or the rows cannot be written at the moment.
        """
        for kind, rows in groupby(islice(self.rows, start, None), key=lambda row: row.kind):
            act = self._samples if kind is DATA_SAMPLES else self._each
            while batch := [self._item(row) for row in islice(rows, BATCH)]:
                try:
                    for outcome in act(batch, _registered(batch), dry_run=dry_run):
                        self._remember(outcome)
                        yield outcome
                finally:
                    for item in batch:
                        _close(item.spec)

    def _remember(self, outcome: Outcome) -> None:
        if self._datasets.get(outcome.row.name) is not outcome.row:
            return
        is_refused = outcome.state is State.REFUSED
        self._keys[outcome.row.name] = None if is_refused else outcome.key
        if outcome.state is State.NEW and outcome.key:
            self._upcoming.add(outcome.key)

    # --- Reading ---------------------------------------------------------------------------------

    def _item(self, row: Row) -> _Item:
        reader = RowReader(row, self.source)
        spec: AnySpec
        if row.kind is DATA_SAMPLES:
            spec = read_sample(reader, self._key_of_dataset)
        else:
            spec = read_dataset(reader) if row.kind is DATASETS else read_function(reader)
        item = _Item(row, spec, reader.problems)
        if not item.problems:
            try:
                item.key = key_of_spec(spec, self.actor.acts_for)
            except (Unusable, OSError) as error:
                if isinstance(error, StorageError):
                    raise
                item.problems.append(row.problem("", str(error)))
        return item

    def _key_of_dataset(self, name: str) -> UUID:
        row = self._datasets.get(name)
        if row is None:
            message = _(
                'no dataset of the list is called "%(name)s". Add it, or give the key of a '
                "registered one."
            )
            raise LookupError(message % {"name": name})
        if name not in self._keys:  # in a step that begins further down
            self._keys[name] = self._item(row).key
        if key := self._keys[name]:
            return key
        message = _('the dataset "%(name)s" (%(place)s) has problems. Fix them first.')
        raise LookupError(message % {"name": name, "place": row.place})

    # --- Datasets and functions ------------------------------------------------------------------

    def _each(
        self, batch: Sequence[_Item], known: Collection[UUID], *, dry_run: bool
    ) -> Iterator[Outcome]:
        for item in batch:
            if item.key in known:
                yield item.outcome(State.KNOWN)
            elif dry_run or item.problems:
                yield item.checked(self._problems_of(item))
            else:
                yield self._register(item)

    def _problems_of(self, item: _Item) -> list[Problem]:
        """Return the problems of reading the row, and those of rules with what could be read."""
        if not item.row.values:  # the whole list cannot be read
            return item.problems
        unreadable = {problem.field for problem in item.problems}
        found = CHECK[item.row.kind](item.spec, self.actor)
        return [*item.problems, *(problem for problem in found if problem.field not in unreadable)]

    def _register(self, item: _Item) -> Outcome:
        try:
            REGISTER[item.row.kind](item.spec, self.actor, key=item.key)
        except Refused as refused:
            return item.outcome(State.REFUSED, refused.problems)
        except IntegrityError:
            # Another run may have registered it since the keys were looked up.
            if not _registered([item]):
                raise
            return item.outcome(State.KNOWN)
        return item.outcome(State.REGISTERED)

    # --- Data samples ----------------------------------------------------------------------------

    def _samples(
        self, batch: Sequence[_Item], known: Collection[UUID], *, dry_run: bool
    ) -> Iterator[Outcome]:
        found: dict[int, Outcome] = {}
        groups = defaultdict(list)
        for item in batch:
            if item.key in known:
                found[id(item)] = item.outcome(State.KNOWN)
            elif item.problems:
                found[id(item)] = item.checked(item.problems)
            else:
                groups[item.row.name_column, *item.spec.data_manager_keys].append(item)
        for items in groups.values():
            found |= self._samples_of_same_datasets(items, dry_run=dry_run)
        yield from (found[id(item)] for item in batch)

    def _samples_of_same_datasets(
        self, items: Sequence[_Item], *, dry_run: bool
    ) -> dict[int, Outcome]:
        """Check and register samples together, of one kind of source and of the same datasets."""
        problems = defaultdict(list)
        names = {item.row.name: item for item in items}
        for problem in check_data_samples(_together(items), self.actor, upcoming=self._upcoming):
            if problem.field == RUNNER_PATHS and items[1:]:
                # The path of one of them: which, only its own check says.
                alone = [self._samples_of_same_datasets([item], dry_run=dry_run) for item in items]
                return {key: outcome for outcomes in alone for key, outcome in outcomes.items()}
            # At the path of one sample, or at the datasets of all.
            for item in [names[problem.field]] if problem.field in names else items:
                problems[id(item)].append(problem)
        fine = [item for item in items if id(item) not in problems]
        if fine and not dry_run:
            self._register_samples(fine)
        return {id(item): item.checked(problems[id(item)], dry_run=dry_run) for item in items}

    def _register_samples(self, items: Sequence[_Item]) -> None:
        keys = {name: item.key for item in items if item.key for name in _names_of(item.spec)}
        try:
            register_data_samples(_together(items), self.actor, keys=keys)
        except IntegrityError:
            # As in `_register`; the others are still to be registered.
            known = _registered(items)
            if not known:
                raise
            if others := [item for item in items if item.key not in known]:
                self._register_samples(others)


def _registered(items: Sequence[_Item]) -> set[UUID]:
    """Return the keys of those rows, of one kind, that are registered; one query."""
    model = MODELS[items[0].row.kind]
    keys = [item.key for item in items if item.key]
    return set(model.objects.filter(pk__any=keys).values_list("pk", flat=True)) if keys else set()


def _together(items: Sequence[_Item]) -> DataSampleSpec:
    """Return one spec of samples that belong to the same datasets."""
    spec: DataSampleSpec = items[0].spec
    archives = {name: file for item in items for name, file in item.spec.archives.items()}
    runner_paths = [path for item in items for path in item.spec.runner_paths]
    return replace(spec, archives=archives, runner_paths=runner_paths)


def _names_of(spec: DataSampleSpec) -> list[str]:
    """Return what `register_data_samples` calls the samples of a spec."""
    return [*spec.archives, *map(str, spec.runner_paths)]


def _close(spec: Any) -> None:
    """Close the files of a spec, of which a run would otherwise open too many."""
    files = [getattr(spec, field.name) for field in fields(spec)]
    for file in [*files, *getattr(spec, "archives", {}).values()]:
        if isinstance(file, File):
            file.close()
