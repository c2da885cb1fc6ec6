"""How well predictions rank malignant masses above benign ones: area under the ROC curve."""

from typing import Any

import numpy as np
import substratools as tools
from sklearn.metrics import roc_auc_score


@tools.register
def score(inputs: dict[str, Any], outputs: dict[str, str], task_properties: dict[str, Any]) -> None:
    """Compare `predictions` with the labels of the same data samples, write `performance`."""
    with np.load(inputs["predictions"], allow_pickle=False) as predictions:
        probabilities = predictions["probabilities"]
    area = roc_auc(inputs["datasamples"]["labels"], probabilities)
    tools.save_performance(area, outputs["performance"])


def roc_auc(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the area, from 0 to 1; 0.5 is chance. Both arrays have shape (n,).

    Raises:
        ValueError: the lengths differ, or only one class is present and there is nothing to rank.
    """
    if labels.shape != probabilities.shape:
        raise ValueError(f"{len(probabilities)} predictions for {len(labels)} rows")
    if len(np.unique(labels)) < 2:
        raise ValueError("all rows are of one class; add data samples that hold the other")
    return float(roc_auc_score(labels, probabilities))


if __name__ == "__main__":
    tools.execute()
