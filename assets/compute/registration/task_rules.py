"""Whether one task is legal with the assets that it refers to: pure checks, no query.

Source: contract 3.6, whose numbers the docstrings give.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import chain
from uuid import UUID

from django.utils.translation import gettext as _

from ...common.asset_keys import AssetKeys
from ...common.errors import Code, Problem, first_of, not_found
from ...common.kinds import AssetKind
from ...functions.specs import FunctionInputSpec, FunctionOutputSpec
from ...permissions.rules import check_permissions
from ...permissions.specs import PermissionsSpec, union
from ..inputs import InputGroup, placed
from ..specs import TASK, OutputSpec, TaskSpec
from ..statuses import TaskStatus
from .context import BatchContext, DatasetInfo, FunctionInfo


def _invalid(field: str, message: str, identifier: str = "") -> Problem:
    return Problem(Code.INVALID, message, field, TASK, identifier=identifier)


class TaskCheck:
    """Checks 7 to 24 for one task with valid values and known parents."""

    def __init__(self, spec: TaskSpec, owner: str, context: BatchContext) -> None:
        self.spec, self.owner, self.context = spec, owner, context
        self.function: FunctionInfo | None = context.functions.get(spec.function_key)
        takes = self.function.inputs if self.function else {}
        # The task's inputs: the place of the first in each group, the group, and what the function
        # declares of it; None if it has no such input.
        self.inputs = [
            (place, group, takes.get(group.identifier)) for place, group in placed(spec.inputs)
        ]
        self.dataset: DatasetInfo | None = None
        self.dataset_key: UUID | None = None
        for _place, group, declared in self.inputs:
            if declared and declared.kind == AssetKind.DATA_MANAGER and group.asset_keys:
                self.dataset_key = group.asset_keys[-1]
                self.dataset = context.datasets.get(self.dataset_key)

    @property
    def worker(self) -> str:
        """The organisation that runs the task: as given, or else the dataset's owner."""
        return self.spec.worker or (self.dataset.owner if self.dataset else "")

    @property
    def logs_permission(self) -> PermissionsSpec:
        """Who can read the logs if the task fails. Contract 3.2."""
        if self.dataset:
            return self.dataset.logs_permission
        parents = {group.parent_task_key for group in self.spec.inputs if group.parent_task_key}
        own = PermissionsSpec().owned_by(self.owner)
        return union([own, *(self.context.tasks[key].logs_permission for key in parents)])

    def problems(self) -> Iterator[Problem]:
        """Yield everything that is wrong with the task, in the contract's order."""
        if self.function is None:
            missing = not_found("function", self.spec.function_key)
            yield Problem(missing.code, missing.message, "function_key")
            return
        if not self.function.permissions.allows(self.owner):
            message = _(
                '%(owner)s may not process with function "%(key)s"; choose another one, or ask its '
                "owner to register it with permission for you."
            )
            message %= {"owner": self.owner, "key": self.spec.function_key}
            yield Problem(Code.FORBIDDEN, message, "function_key")
        is_compatible = self._is_compatible()
        yield from self._check_disabled_models()
        if not is_compatible:
            yield from self._check_output_permissions()
            yield from self._check_identifiers()
        yield from self._check_worker()
        if not is_compatible:
            yield from self._check_multiplicity()
        for place, group, declared in self.inputs:
            if declared:
                yield from self._check_input(group, declared, place)
        if not is_compatible:
            yield from self._check_missing_inputs()
            yield from self._check_outputs()

    def _is_compatible(self) -> bool:
        """Whether 9, 10, 14 and 22 to 24 hold, which depends only on the task's shape.

        The answer is stored: thousands of tasks in a batch share a shape.
        """
        spec = self.spec
        inputs = [(group[0], len(group[1]) > 1) for group in spec.inputs]
        shape = (spec.function_key, *inputs, *spec.outputs.items())
        found = self.context.compatible_shapes.get(shape)
        if found is None:
            problems = chain(
                self._check_output_permissions(),
                self._check_identifiers(),
                self._check_multiplicity(),
                self._check_missing_inputs(),
                self._check_outputs(),
            )
            found = self.context.compatible_shapes[shape] = next(problems, None) is None
        return found

    def _check_disabled_models(self) -> Iterator[Problem]:
        """8: a finished parent still has its models."""
        for place, group, _declared in self.inputs:
            if group.parent_task_key is None:
                continue
            parent = self.context.tasks.get(group.parent_task_key)
            if parent and parent.status == TaskStatus.DONE:
                for model in parent.disabled_models:
                    message = _('Model "%(key)s" has been disabled; its task can feed no new task.')
                    field = f"inputs[{place}].parent_task_key"
                    yield _invalid(field, message % {"key": model})

    def _check_output_permissions(self) -> Iterator[Problem]:
        """9: outputs name known organisations."""
        for identifier, output in self.spec.outputs.items():
            yield from check_permissions(
                output.permissions,
                self.context.organizations,
                field=f"outputs.{identifier}.permissions",
            )

    def _check_identifiers(self) -> Iterator[Problem]:
        """10: every input is one of the function's."""
        for place, group, declared in self.inputs:
            if declared is None:
                indexes = range(place, place + group.size)
                yield from first_of(indexes, partial(self._unknown, group.identifier))

    def _unknown(self, identifier: str, index: int) -> Problem:
        assert self.function is not None  # noqa: S101
        message = _('unknown task input "%(name)s"; the function takes %(names)s.')
        message %= {"name": identifier, "names": _listed(self.function.inputs)}
        return _invalid(f"inputs[{index}].identifier", message)

    def _check_worker(self) -> Iterator[Problem]:
        """11 to 13: the worker is known, and is the owner of the task's dataset if it has one."""
        worker, code = self.spec.worker, Code.BAD_REQUEST
        if self.dataset and worker and worker != self.dataset.owner:
            message = _(
                'Specified worker "%(worker)s" does not match data manager owner "%(owner)s"; '
                "data never leave their organisation."
            )
            message %= {"worker": worker, "owner": self.dataset.owner}
        elif not self.worker and not self.dataset_key:
            message = _(
                "Worker cannot be inferred and must be explicitly set: name the organisation "
                "that would run the task."
            )
        elif worker and worker not in self.context.organizations:
            code = Code.NOT_FOUND
            message = _(
                'organization with key "%(key)s" not found; give the id of a registered one.'
            )
            message %= {"key": worker}
        else:
            return
        yield Problem(code, message, "worker")

    def _check_multiplicity(self) -> Iterator[Problem]:
        """14: only a multiple input is given more than once."""
        assert self.function is not None  # noqa: S101
        given: Counter[str] = Counter()
        for group in self.spec.inputs:
            given[group.identifier] += group.size
        for identifier, times in given.items():
            declared = self.function.inputs.get(identifier)
            if times > 1 and declared and not declared.multiple:
                message = _(
                    'duplicate task input "%(name)s": given %(times)d times, but the function '
                    "takes one."
                )
                message %= {"name": identifier, "times": times}
                yield _invalid("inputs", message, identifier)

    def _check_input(
        self, group: InputGroup, declared: FunctionInputSpec, place: int
    ) -> Iterator[Problem]:
        """15 to 21: the sources of the inputs exist, match and are permitted."""
        if group.asset_keys:
            if declared.kind == AssetKind.DATA_SAMPLE:
                yield from self._check_samples(group.asset_keys, place)
                return
            is_model = declared.kind == AssetKind.MODEL
            check = self._check_model if is_model else self._check_opener
            for index, key in enumerate(group.asset_keys, place):
                yield from check(key, index)
        elif declared.kind == AssetKind.MODEL:
            yield from self._check_parent(group, declared, place)
        elif declared.kind == AssetKind.DATA_MANAGER:
            yield _invalid(f"inputs[{place}]", _("openers must be referenced using an asset key."))
        else:
            message = _("data samples must be referenced using an asset key.")
            yield _invalid(f"inputs[{place}]", message)

    def _check_opener(self, key: UUID, index: int) -> Iterator[Problem]:
        """15: the dataset exists and the task's owner may process it."""
        dataset = self.context.datasets.get(key)
        if dataset is None:
            yield _not_found("datamanager", key, index)
        elif not dataset.permissions.allows(self.owner):
            message = _(
                '%(owner)s may not process datamanager "%(key)s"; choose another one, or ask '
                "%(dataset_owner)s to register it with permission for you."
            )
            message %= {"owner": self.owner, "key": key, "dataset_owner": dataset.owner}
            yield Problem(Code.FORBIDDEN, message, f"inputs[{index}].asset_key")

    def _check_samples(self, keys: AssetKeys, place: int) -> Iterator[Problem]:
        """16: the samples exist and belong to the task's dataset."""
        samples, dataset_key = self.context.samples, self.dataset_key if self.dataset else None
        wrong = self.context.wrong_samples.get((keys, dataset_key))
        if wrong is None:
            wrong = [
                offset
                for offset, key in enumerate(keys)
                if key not in samples or (dataset_key and dataset_key not in samples[key])
            ]
            self.context.wrong_samples[keys, dataset_key] = wrong

        def problem_at(offset: int) -> Problem:
            if keys[offset] not in samples:
                return _not_found("datasample", keys[offset], place + offset)
            message = _(
                'datasamples do not share a common manager: "%(key)s" does not belong to the '
                'dataset "%(dataset)s".'
            )
            message %= {"key": keys[offset], "dataset": self.dataset_key}
            return _invalid(f"inputs[{place + offset}].asset_key", message)

        yield from first_of(wrong, problem_at)

    def _check_model(self, key: UUID, index: int) -> Iterator[Problem]:
        """8, 17: the model exists, is not disabled, and the worker may process it."""
        model = self.context.models.get(key)
        field = f"inputs[{index}].asset_key"
        if model is None:
            yield _not_found("model", key, index)
        elif model.disabled:
            message = _('Model "%(key)s" has been disabled; choose another one.') % {"key": key}
            yield _invalid(field, message)
        elif not model.permissions.allows(self.worker):
            message = _(
                'the worker %(worker)s may not process model "%(key)s"; choose another model, or '
                "another worker."
            )
            message %= {"worker": self.worker, "key": key}
            yield Problem(Code.FORBIDDEN, message, field)

    def _check_parent(
        self, group: InputGroup, declared: FunctionInputSpec, index: int
    ) -> Iterator[Problem]:
        """18 to 21: the parent has the output, it matches, and the worker may process it."""
        assert group.parent_task_key is not None  # noqa: S101
        parent = self.context.tasks[group.parent_task_key]
        name = group.parent_task_output_identifier or ""
        function = self.context.functions.get(parent.function_key)
        output = function.outputs.get(name) if function else None
        where = f"inputs[{index}].parent_task_output_identifier"
        if output is None or name not in parent.outputs:
            if function is not None:
                message = _('task "%(key)s" output not found: "%(name)s"; it makes %(names)s.')
                names = _listed(function.outputs)
                message %= {"key": group.parent_task_key, "name": name, "names": names}
                yield _invalid(where, message)
            return
        yield from _check_match(output, declared, where)
        if not parent.outputs[name].allows(self.worker):
            message = _(
                'the worker %(worker)s may not process output "%(output)s" of task "%(key)s"; '
                "choose another worker, or permit it the output if that task is not registered "
                "yet."
            )
            message %= {"worker": self.worker, "output": name, "key": group.parent_task_key}
            yield Problem(Code.FORBIDDEN, message, where)

    def _check_missing_inputs(self) -> Iterator[Problem]:
        """22: every input that is not optional is given."""
        assert self.function is not None  # noqa: S101
        given = {group.identifier for group in self.spec.inputs}
        for identifier, declared in self.function.inputs.items():
            if not declared.optional and identifier not in given:
                message = _('missing task input "%(name)s" (%(kind)s); choose what feeds it.')
                message %= {"name": identifier, "kind": declared.kind}
                yield _invalid("inputs", message, identifier)

    def _check_outputs(self) -> Iterator[Problem]:
        """23, 24: outputs are exactly the function's; performances are public and not transient."""
        assert self.function is not None  # noqa: S101
        declared = self.function.outputs
        for identifier, output in self.spec.outputs.items():
            if identifier in declared:
                yield from _check_performance(output, declared[identifier])
            else:
                message = _('unknown task output "%(name)s"; the function makes %(names)s.')
                message %= {"name": identifier, "names": _listed(declared)}
                yield _invalid(f"outputs.{identifier}", message)
        for identifier in declared:
            if identifier not in self.spec.outputs:
                message = _('missing task output "%(name)s"; say who may use it.')
                yield _invalid("outputs", message % {"name": identifier}, identifier)


def _check_match(
    output: FunctionOutputSpec, declared: FunctionInputSpec, where: str
) -> Iterator[Problem]:
    """19, 20: the output has the kind that the input takes, and is not many for one."""
    names = {"output": output.identifier, "input": declared.identifier}
    if output.kind != declared.kind:
        message = _(
            "mismatching task input asset kinds: %(output)s makes %(made)s, %(input)s takes "
            "%(taken)s."
        )
        yield _invalid(where, message % {**names, "made": output.kind, "taken": declared.kind})
    if output.multiple and not declared.multiple:
        message = _(
            "multiple task output %(output)s used as single task input %(input)s; choose an output "
            "that is one model."
        )
        yield _invalid(where, message % names)


def _check_performance(output: OutputSpec, declared: FunctionOutputSpec) -> Iterator[Problem]:
    if declared.kind != AssetKind.PERFORMANCE:
        return
    field = f"outputs.{declared.identifier}"
    if not output.permissions.public:
        yield _invalid(f"{field}.permissions.public", _("a performance output must be public."))
    if output.transient:
        yield _invalid(f"{field}.transient", _("a performance output cannot be transient."))


def _not_found(asset: str, key: UUID, index: int) -> Problem:
    return Problem(Code.NOT_FOUND, not_found(asset, key).message, f"inputs[{index}].asset_key")


def _listed(names: Mapping[str, object]) -> str:
    return ", ".join(names) or _("none")
