"""The demo's two compute plans, as specs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from uuid import NAMESPACE_URL, UUID, uuid5

from ..compute.inputs import InputRef, grouped
from ..compute.specs import ComputePlanSpec, OutputSpec, TaskSpec
from ..permissions.specs import PermissionsSpec
from .hospitals import CHARITE, CURIE, HOSPITALS, PUBLIC, TEST_SAMPLE, TRAINING_SAMPLES

ROUNDS = 5


def demo_key(*names: str | int) -> UUID:
    """Return the key of a plan or task, the same each time, so that it is registered once."""
    return uuid5(NAMESPACE_URL, "/".join(["registrar-demo", *map(str, names)]))


FEDERATED, BASELINE = demo_key("federated"), demo_key("baseline")


@dataclass(frozen=True)
class Registered:
    """The keys of the studies' assets: by function, by hospital, by hospital and sample."""

    functions: Mapping[str, UUID]
    datasets: Mapping[str, UUID]
    samples: Mapping[tuple[str, str], UUID]


def federated_study(registered: Registered) -> ComputePlanSpec:
    """Return five rounds of federated averaging over three hospitals, led by Curie: 50 tasks."""
    return ComputePlanSpec(
        key=FEDERATED,
        name="Breast cancer, federated logistic regression",
        tag="federated",
        metadata={"disease": "breast cancer", "rounds": str(ROUNDS)},
        tasks=list(_rounds(registered)),
    )


def baseline_study(registered: Registered) -> ComputePlanSpec:
    """Return a study of one hospital's public dataset by Karolinska: train, predict, score."""
    tasks = _Tasks(registered, "baseline", {"round_idx": "1"})
    trained = tasks.train(CHARITE, None, only_to(CHARITE))
    return ComputePlanSpec(
        key=BASELINE,
        name="Breast cancer, baseline at one hospital",
        tag="baseline",
        metadata={"disease": "breast cancer"},
        tasks=[trained, *tasks.evaluate(CHARITE, InputRef("shared", None, trained.key, "model"))],
    )


def only_to(*organizations: str) -> PermissionsSpec:
    return PermissionsSpec(False, organizations)


def _rounds(registered: Registered) -> Iterator[TaskSpec]:
    hospitals = [hospital.id for hospital in HOSPITALS]
    shared: InputRef | None = None
    for index in range(1, ROUNDS + 1):
        tasks = _Tasks(registered, f"round {index}", {"round_idx": str(index)})
        trained = [
            tasks.train(hospital, shared, only_to(hospital, CURIE)) for hospital in hospitals
        ]
        aggregated = tasks.aggregate(CURIE, trained, only_to(*hospitals))
        shared = InputRef("shared", None, aggregated.key, "shared")
        yield from trained
        yield aggregated
        for hospital in hospitals:
            yield from tasks.evaluate(hospital, shared)


class _Tasks:
    """Builds the tasks of one round; each task runs where its data are."""

    def __init__(self, registered: Registered, name: str, metadata: Mapping[str, str]) -> None:
        self.registered, self.name, self.metadata = registered, name, metadata

    def train(self, hospital: str, shared: InputRef | None, may_use: PermissionsSpec) -> TaskSpec:
        inputs = [*self._data(hospital, *TRAINING_SAMPLES), *([shared] if shared else [])]
        return self._task("train", hospital, inputs, {"model": OutputSpec(may_use)})

    def aggregate(self, worker: str, trained: list[TaskSpec], may_use: PermissionsSpec) -> TaskSpec:
        models = [InputRef("models", None, task.key, "model") for task in trained]
        return self._task("aggregate", worker, models, {"shared": OutputSpec(may_use)})

    def evaluate(self, hospital: str, model: InputRef) -> list[TaskSpec]:
        data = self._data(hospital, TEST_SAMPLE)
        # Predictions are about single patients: they stay in their hospital and are deleted.
        predictions = OutputSpec(only_to(hospital), transient=True)
        predicted = self._task("predict", hospital, [*data, model], {"predictions": predictions})
        inputs = [*data, InputRef("predictions", None, predicted.key, "predictions")]
        scored = self._task("score", hospital, inputs, {"performance": OutputSpec(PUBLIC)})
        return [predicted, scored]

    def _data(self, hospital: str, *samples: str) -> list[InputRef]:
        return [
            InputRef("opener", self.registered.datasets[hospital]),
            *(
                InputRef("datasamples", self.registered.samples[hospital, sample])
                for sample in samples
            ),
        ]

    def _task(
        self, function: str, worker: str, inputs: list[InputRef], outputs: dict[str, OutputSpec]
    ) -> TaskSpec:
        return TaskSpec(
            key=demo_key(self.name, function, worker),
            function_key=self.registered.functions[function],
            worker=worker,
            tag=function,
            metadata=self.metadata,
            inputs=grouped(inputs),
            outputs=outputs,
        )
