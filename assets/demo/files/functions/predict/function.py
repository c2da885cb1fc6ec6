"""How likely each mass of a hospital is malignant, according to the shared model."""

from pathlib import Path
from typing import Any

import numpy as np
import substratools as tools


@tools.register
def predict(
    inputs: dict[str, Any], outputs: dict[str, str], task_properties: dict[str, Any]
) -> None:
    """Apply `shared` to the data samples and write `predictions`."""
    with np.load(inputs["shared"], allow_pickle=False) as model:
        coef, intercept = model["coef"], model["intercept"]
    found = probabilities(inputs["datasamples"]["features"], coef, intercept)
    # An open file, because NumPy adds ".npz" to a path and the platform expects the exact path.
    with Path(outputs["predictions"]).open("wb") as file:
        np.savez(file, probabilities=found)


def probabilities(features: np.ndarray, coef: np.ndarray, intercept: np.ndarray) -> np.ndarray:
    """Return shape (n,), between 0 and 1, in the order of the rows of features (n, n_features)."""
    # log(1 + e^-x) in one call: e^-x alone overflows for a mass far on the benign side.
    return np.exp(-np.logaddexp(0, -(features @ coef + intercept)))


if __name__ == "__main__":
    tools.execute()
