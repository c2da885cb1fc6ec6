"""One hospital's part of a federated round: logistic regression, a few epochs of SGD."""

from pathlib import Path
from typing import Any

import numpy as np
import substratools as tools

EPOCHS = 2
BATCH_SIZE = 16
LEARNING_RATE = 0.1
PENALTY = 0.001

Weights = tuple[np.ndarray, float]


@tools.register
def train(inputs: dict[str, Any], outputs: dict[str, str], task_properties: dict[str, Any]) -> None:
    """Continue from `shared`, or from zero in the first round, and write `model`."""
    features, labels = inputs["datasamples"]["features"], inputs["datasamples"]["labels"]
    start = load(inputs["shared"]) if "shared" in inputs else (np.zeros(features.shape[1]), 0.0)
    # Every rank shuffles differently, and the same way when a task runs again.
    rng = np.random.default_rng(task_properties.get("rank", 0))
    save(outputs["model"], fit(features, labels, start, rng), n_samples=len(labels))


def fit(
    features: np.ndarray, labels: np.ndarray, start: Weights, rng: np.random.Generator
) -> Weights:
    """Return (coef of shape (n_features,), intercept) after EPOCHS over features (n, n_features).

    Steps are taken on standardised features, for speed. Weights come and go in the features' own
    units: hospitals have different means and spreads, and only there do their weights compare.
    """
    centre, spread = features.mean(axis=0), features.std(axis=0)
    spread[spread == 0] = 1.0
    scaled = (features - centre) / spread
    coef, intercept = start[0] * spread, start[1] + start[0] @ centre
    for _ in range(EPOCHS):
        coef, intercept = epoch(scaled, labels, (coef, intercept), rng)
    coef = coef / spread
    return coef, float(intercept - coef @ centre)


def epoch(
    features: np.ndarray, labels: np.ndarray, weights: Weights, rng: np.random.Generator
) -> Weights:
    """Take one step of gradient descent per batch, over all rows once."""
    coef, intercept = weights
    order = rng.permutation(len(labels))
    for rows in np.array_split(order, -(-len(order) // BATCH_SIZE)):
        # log(1 + e^-x) in one call: e^-x alone overflows for a mass far on the benign side.
        probabilities = np.exp(-np.logaddexp(0, -(features[rows] @ coef + intercept)))
        errors = probabilities - labels[rows]
        gradient = features[rows].T @ errors / len(rows) + PENALTY * coef
        coef, intercept = coef - LEARNING_RATE * gradient, intercept - LEARNING_RATE * errors.mean()
    return coef, float(intercept)


def load(path: str) -> Weights:
    """Read a model: `coef` (n_features,) and `intercept` ()."""
    with np.load(path, allow_pickle=False) as model:
        return model["coef"], float(model["intercept"])


def save(path: str, weights: Weights, n_samples: int) -> None:
    """Write a model and how many rows it learned from, which is its weight in the average."""
    # An open file, because NumPy adds ".npz" to a path and the platform expects the exact path.
    with Path(path).open("wb") as file:
        np.savez(file, coef=weights[0], intercept=weights[1], n_samples=n_samples)


if __name__ == "__main__":
    tools.execute()
