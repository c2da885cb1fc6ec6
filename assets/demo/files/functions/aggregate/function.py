"""Federated averaging: the hospitals' models become one, weighted by their numbers of rows."""

from pathlib import Path
from typing import Any

import numpy as np
import substratools as tools

Model = dict[str, np.ndarray]


@tools.register
def aggregate(
    inputs: dict[str, Any], outputs: dict[str, str], task_properties: dict[str, Any]
) -> None:
    """Average `models` and write `shared`, a model of the same form."""
    shared = average([load(path) for path in inputs["models"]])
    # An open file, because NumPy adds ".npz" to a path and the platform expects the exact path.
    with Path(outputs["shared"]).open("wb") as file:
        np.savez(
            file,
            coef=shared["coef"],
            intercept=shared["intercept"],
            n_samples=shared["n_samples"],
        )


def average(models: list[Model]) -> Model:
    """Return the mean `coef` (n_features,) and `intercept` (), and all rows in `n_samples`."""
    sizes = np.array([int(model["n_samples"]) for model in models])
    return {
        "coef": np.average([model["coef"] for model in models], axis=0, weights=sizes),
        "intercept": np.average([model["intercept"] for model in models], weights=sizes),
        "n_samples": sizes.sum(),
    }


def load(path: str) -> Model:
    """Read one model's arrays."""
    with np.load(path, allow_pickle=False) as model:
        return {name: model[name] for name in ("coef", "intercept", "n_samples")}


if __name__ == "__main__":
    tools.execute()
