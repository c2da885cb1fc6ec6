"""Warnings about files that break no rule, the same as those of the forms."""

from collections.abc import Callable, Mapping
from typing import Any

from django.core.files.base import File

from ..datasets import rules as datasets
from ..datasets.openers import opener_advice
from ..functions import rules as functions
from ..uploads.fields import text_advice
from .specs import DATA_SAMPLES, DATASETS, FUNCTIONS, ListKind, Outcome

_ADVICE: Mapping[ListKind, Mapping[str, Callable[[File], list[str]]]] = {
    DATASETS: {"data_opener": opener_advice, "description": text_advice},
    FUNCTIONS: {"file": functions.archive_advice, "description": text_advice},
}


def advice_on(outcome: Outcome) -> list[tuple[str, str]]:
    """Return warnings about the files of a row that would be registered, each with its column."""
    spec: Any = outcome.spec
    if outcome.row.kind is DATA_SAMPLES:
        archives = spec.archives.values()
        return [("path", text) for file in archives for text in datasets.archive_advice(file)]
    return [
        (column, text)
        for column, advise in _ADVICE[outcome.row.kind].items()
        for text in advise(getattr(spec, column))
    ]
