"""Opener of the Curie samples: `;` between columns, `,` in numbers, as French spreadsheets do."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import substratools as tools

# What is measured on the nuclei, with a typical mean, standard error and worst value.
TYPICAL = {
    "radius": (14.1, 0.405, 16.3),
    "texture": (19.3, 1.22, 25.7),
    "perimeter": (92.0, 2.87, 107.0),
    "area": (655.0, 40.3, 881.0),
    "smoothness": (0.0964, 0.00704, 0.132),
    "compactness": (0.104, 0.0255, 0.254),
    "concavity": (0.0888, 0.0319, 0.272),
    "concave_points": (0.0489, 0.0118, 0.115),
    "symmetry": (0.181, 0.0205, 0.29),
    "fractal_dim": (0.0628, 0.00379, 0.0839),
}
STATISTICS = ("mean", "se", "worst")
# The consortium's order: a model's weights follow it, so every hospital returns the same one.
FEATURES = [f"{name}_{statistic}" for statistic in STATISTICS for name in TYPICAL]
CLASSES = {"B": 0, "M": 1}

Data = dict[str, np.ndarray]


class CurieOpener(tools.Opener):
    """Features, float64 of shape (n, 30), and labels, int64 of shape (n,): 1 is malignant."""

    def get_data(self, folders: Sequence[str]) -> Data:
        """Read the data samples, in the order given, each of them one folder."""
        table = pd.concat([read(path) for path in tables(folders)], ignore_index=True)
        return {
            "features": table[FEATURES].to_numpy(np.float64),
            "labels": table["diagnosis"].map(CLASSES).to_numpy(np.int64),
        }

    def fake_data(self, n_samples: int) -> Data:
        """Make up `n_samples` masses, every second one malignant; always the same ones."""
        rng = np.random.default_rng(0)
        labels = np.arange(n_samples) % 2
        typical = np.array(list(TYPICAL.values())).T.ravel()
        spread = rng.lognormal(sigma=0.3, size=(n_samples, len(FEATURES)))
        # Malignant nuclei are larger and less regular: a model must find something to learn.
        return {"features": typical * (1 + 0.3 * labels[:, None]) * spread, "labels": labels}


def tables(folders: Sequence[str]) -> Iterator[Path]:
    """Find every `data.csv`, at any depth: archives often keep their outer folder."""
    for folder in folders:
        paths = sorted(Path(folder).rglob("data.csv"))
        if not paths:
            raise FileNotFoundError(f"no data.csv in the data sample {folder}")
        yield from paths


def read(path: Path) -> pd.DataFrame:
    """Read one table of 31 columns."""
    # Without `decimal`, pandas takes 17,99 for text.
    table = pd.read_csv(path, sep=";", decimal=",")
    unknown = set(table["diagnosis"]) - set(CLASSES)
    if unknown:
        raise ValueError(f"{path}: diagnosis must be M or B, not {unknown}")
    return table
