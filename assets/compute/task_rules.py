"""What makes one task legal among the assets that it refers to: pure checks, no query.

Source: contract 3.6, whose numbers the docstrings give.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from uuid import UUID

from ..common.errors import Code, Problem, not_found
from ..common.kinds import AssetKind
from ..functions.specs import FunctionInputSpec, FunctionOutputSpec
from ..permissions.rules import check_permissions
from ..permissions.specs import PermissionsSpec, union
from .known import KnownDataset, KnownFunction, World
from .specs import TASK, InputRef, OutputSpec, TaskSpec
from .statuses import TaskStatus


def _invalid(field: str, message: str) -> Problem:
    return Problem(Code.INVALID, message, field, TASK)


class TaskCheck:
    """Checks 7 to 24 for one task whose values are sound and whose parents are known."""

    def __init__(self, spec: TaskSpec, owner: str, world: World) -> None:
        self.spec, self.owner, self.world = spec, owner, world
        self.function: KnownFunction | None = world.functions.get(spec.function_key)
        takes = self.function.inputs if self.function else {}
        # What the function declares of each of the task's inputs; None if it has no such input.
        self.declared = [takes.get(ref.identifier) for ref in spec.inputs]
        self.dataset: KnownDataset | None = None
        self.dataset_key: UUID | None = None
        for ref, declared in zip(spec.inputs, self.declared, strict=True):
            if declared and declared.kind == AssetKind.DATA_MANAGER and ref.asset_key:
                self.dataset_key = ref.asset_key
                self.dataset = world.datasets.get(ref.asset_key)

    @property
    def worker(self) -> str:
        """The organisation that would run the task: the dataset's owner, else as given."""
        return self.spec.worker or (self.dataset.owner if self.dataset else "")

    @property
    def logs_permission(self) -> PermissionsSpec:
        """Who may read the logs if the task fails. Contract 3.2."""
        if self.dataset:
            return self.dataset.logs_permission
        parents = {ref.parent_task_key for ref in self.spec.inputs if ref.parent_task_key}
        own = PermissionsSpec().owned_by(self.owner)
        return union([own, *(self.world.tasks[key].logs_permission for key in parents)])

    def problems(self) -> Iterator[Problem]:
        if self.function is None:
            missing = not_found("function", self.spec.function_key)
            yield Problem(missing.code, missing.message, "function_key")
            return
        if not self.function.permissions.allows(self.owner):
            yield Problem(
                Code.FORBIDDEN,
                f'{self.owner} may not process with function "{self.spec.function_key}"; '
                "choose another one, or ask its owner to register it with permission for you.",
                "function_key",
            )
        fits = self._fits()
        yield from self._check_disabled_models()
        if not fits:
            yield from self._check_output_permissions()
            yield from self._check_identifiers()
        yield from self._check_worker()
        if not fits:
            yield from self._check_multiplicity()
        for index, (ref, declared) in enumerate(zip(self.spec.inputs, self.declared, strict=True)):
            if declared:
                yield from self._check_input(ref, declared, index)
        if not fits:
            yield from self._check_missing_inputs()
            yield from self._check_outputs()

    def _fits(self) -> bool:
        """9, 10, 14, 22 to 24 hold: what depends on the task's shape only is found out once."""
        spec = self.spec
        identifiers = tuple([ref.identifier for ref in spec.inputs])
        shape = (spec.function_key, identifiers, tuple(spec.outputs.items()))
        fits = self.world.fits.get(shape)
        if fits is None:
            problems = chain(
                self._check_output_permissions(),
                self._check_identifiers(),
                self._check_multiplicity(),
                self._check_missing_inputs(),
                self._check_outputs(),
            )
            fits = self.world.fits[shape] = next(problems, None) is None
        return fits

    def _check_disabled_models(self) -> Iterator[Problem]:
        """8: a finished parent still has what it made."""
        for index, ref in enumerate(self.spec.inputs):
            if ref.parent_task_key is None:
                continue
            parent = self.world.tasks.get(ref.parent_task_key)
            if parent and parent.status == TaskStatus.DONE:
                for model in parent.disabled_models:
                    yield _invalid(
                        f"inputs[{index}].parent_task_key",
                        f'Model "{model}" has been disabled; its task can feed no new task.',
                    )

    def _check_output_permissions(self) -> Iterator[Problem]:
        """9: outputs are permitted to known organisations."""
        for identifier, output in self.spec.outputs.items():
            yield from check_permissions(
                output.permissions,
                self.world.organizations,
                field=f"outputs.{identifier}.permissions",
            )

    def _check_identifiers(self) -> Iterator[Problem]:
        """10: every input is one of the function's."""
        assert self.function is not None  # noqa: S101
        for index, ref in enumerate(self.spec.inputs):
            if ref.identifier not in self.function.inputs:
                yield _invalid(
                    f"inputs[{index}].identifier",
                    f'unknown task input "{ref.identifier}"; '
                    f"the function takes {_listed(self.function.inputs)}.",
                )

    def _check_worker(self) -> Iterator[Problem]:
        """11 to 13: the worker is known, and is the owner of the task's dataset if it has one."""
        worker = self.spec.worker
        if self.dataset and worker and worker != self.dataset.owner:
            yield Problem(
                Code.BAD_REQUEST,
                f'Specified worker "{worker}" does not match data manager owner '
                f'"{self.dataset.owner}"; data never leave their organisation.',
                "worker",
            )
        elif not self.worker and not self.dataset_key:
            yield Problem(
                Code.BAD_REQUEST,
                "Worker cannot be inferred and must be explicitly set: "
                "name the organisation that would run the task.",
                "worker",
            )
        elif worker and worker not in self.world.organizations:
            message = (
                f'organization with key "{worker}" not found; give the id of a registered one.'
            )
            yield Problem(Code.NOT_FOUND, message, "worker")

    def _check_multiplicity(self) -> Iterator[Problem]:
        """14: only a multiple input is fed more than once."""
        assert self.function is not None  # noqa: S101
        for identifier, times in Counter(ref.identifier for ref in self.spec.inputs).items():
            declared = self.function.inputs.get(identifier)
            if times > 1 and declared and not declared.multiple:
                yield _invalid(
                    "inputs",
                    f'duplicate task input "{identifier}": given {times} times, '
                    "but the function takes one.",
                )

    def _check_input(
        self, ref: InputRef, declared: FunctionInputSpec, index: int
    ) -> Iterable[Problem]:
        """15 to 21: what feeds the input exists, fits and may be used."""
        if declared.kind == AssetKind.MODEL:
            if ref.asset_key:
                return self._check_model(ref.asset_key, index)
            return self._check_parent(ref, declared, index)
        if ref.asset_key is None:
            is_opener = declared.kind == AssetKind.DATA_MANAGER
            what = "openers" if is_opener else "data samples"
            return [_invalid(f"inputs[{index}]", f"{what} must be referenced using an asset key.")]
        if declared.kind == AssetKind.DATA_MANAGER:
            return self._check_opener(ref.asset_key, index)
        return self._check_sample(ref.asset_key, index)

    def _check_opener(self, key: UUID, index: int) -> Iterator[Problem]:
        """15: the dataset exists, and the task's owner may process it."""
        dataset = self.world.datasets.get(key)
        if dataset is None:
            yield _not_found("datamanager", key, index)
        elif not dataset.permissions.allows(self.owner):
            yield Problem(
                Code.FORBIDDEN,
                f'{self.owner} may not process datamanager "{key}"; '
                f"choose another one, or ask {dataset.owner} to register it with permission for "
                "you.",
                f"inputs[{index}].asset_key",
            )

    def _check_sample(self, key: UUID, index: int) -> Iterator[Problem]:
        """16: the sample exists and belongs to the task's dataset."""
        datasets = self.world.samples.get(key)
        if datasets is None:
            yield _not_found("datasample", key, index)
        elif self.dataset and self.dataset_key not in datasets:
            yield _invalid(
                f"inputs[{index}].asset_key",
                f'datasamples do not share a common manager: "{key}" does not belong to '
                f'the dataset "{self.dataset_key}".',
            )

    def _check_model(self, key: UUID, index: int) -> Iterator[Problem]:
        """8, 17: the model exists, is there still, and the worker may process it."""
        model = self.world.models.get(key)
        field = f"inputs[{index}].asset_key"
        if model is None:
            yield _not_found("model", key, index)
        elif model.disabled:
            yield _invalid(field, f'Model "{key}" has been disabled; choose another one.')
        elif not model.permissions.allows(self.worker):
            yield Problem(
                Code.FORBIDDEN,
                f'the worker {self.worker} may not process model "{key}"; '
                "choose another model, or another worker.",
                field,
            )

    def _check_parent(
        self, ref: InputRef, declared: FunctionInputSpec, index: int
    ) -> Iterator[Problem]:
        """18 to 21: the parent has such an output, it fits, and the worker may process it."""
        assert ref.parent_task_key is not None  # noqa: S101
        parent = self.world.tasks[ref.parent_task_key]
        name = ref.parent_task_output_identifier or ""
        function = self.world.functions.get(parent.function_key)
        output = function.outputs.get(name) if function else None
        where = f"inputs[{index}].parent_task_output_identifier"
        if output is None or name not in parent.outputs:
            if function is not None:
                yield _invalid(
                    where,
                    f'task "{ref.parent_task_key}" output not found: "{name}"; '
                    f"it makes {_listed(function.outputs)}.",
                )
            return
        if output.kind != declared.kind:
            yield _invalid(
                where,
                f"mismatching task input asset kinds: {name} makes {output.kind}, "
                f"{declared.identifier} takes {declared.kind}.",
            )
        if output.multiple and not declared.multiple:
            yield _invalid(
                where,
                f"multiple task output {name} used as single task input {ref.identifier}; "
                "choose an output that is one model.",
            )
        if not parent.outputs[name].allows(self.worker):
            yield Problem(
                Code.FORBIDDEN,
                f'the worker {self.worker} may not process output "{name}" '
                f'of task "{ref.parent_task_key}"; choose another worker, or permit it the output '
                "if that task is not registered yet.",
                where,
            )

    def _check_missing_inputs(self) -> Iterator[Problem]:
        """22: every input that is not optional is fed."""
        assert self.function is not None  # noqa: S101
        given = {ref.identifier for ref in self.spec.inputs}
        for identifier, declared in self.function.inputs.items():
            if not declared.optional and identifier not in given:
                yield _invalid(
                    "inputs",
                    f'missing task input "{identifier}" ({declared.kind}); choose what feeds it.',
                )

    def _check_outputs(self) -> Iterator[Problem]:
        """23, 24: outputs are exactly the function's; performances are public and kept."""
        assert self.function is not None  # noqa: S101
        declared = self.function.outputs
        for identifier, output in self.spec.outputs.items():
            if identifier in declared:
                yield from _check_performance(output, declared[identifier])
            else:
                yield _invalid(
                    f"outputs.{identifier}",
                    f'unknown task output "{identifier}"; the function makes {_listed(declared)}.',
                )
        for identifier in declared:
            if identifier not in self.spec.outputs:
                yield _invalid(
                    "outputs", f'missing task output "{identifier}"; say who may use it.'
                )


def _check_performance(output: OutputSpec, declared: FunctionOutputSpec) -> Iterator[Problem]:
    if declared.kind != AssetKind.PERFORMANCE:
        return
    field = f"outputs.{declared.identifier}"
    if not output.permissions.public:
        yield _invalid(f"{field}.permissions.public", "a performance output must be public.")
    if output.transient:
        yield _invalid(f"{field}.transient", "a performance output cannot be transient.")


def _not_found(asset: str, key: UUID, index: int) -> Problem:
    return Problem(Code.NOT_FOUND, not_found(asset, key).message, f"inputs[{index}].asset_key")


def _listed(names: Mapping[str, object]) -> str:
    return ", ".join(names) or "none"
