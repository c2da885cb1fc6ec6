"""A long draft as the page's form carries it: inputs that tasks share are there once.

Hundreds of tasks take the same thousands of data samples. Spelled out in each of them, a page of a
hundred tasks had 24 MB.
"""

from itertools import groupby
from typing import Any

import orjson
from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from .draft import Draft, as_task

# Characters of JSON; shorter drafts are carried as they are.
FEWEST = 100_000


def packed(draft: Draft) -> str:
    """Return a draft's JSON with each list of inputs once."""
    tasks: list[Any] = []
    numbers: dict[str, list[int]] = {}
    runs: dict[bytes, int] = {}
    for place, task in enumerate(draft.items):
        inputs = as_task(task).get("inputs")
        if isinstance(inputs, list):
            # What tasks have in common is all inputs with an identifier.
            found = [orjson.dumps(list(run)) for _name, run in groupby(inputs, key=_name_of)]
            numbers[str(place)] = [runs.setdefault(run, len(runs)) for run in found]
            task = {**task, "inputs": []}
        tasks.append(task)
    kept = {"tasks": tasks, "inputs": numbers, "runs": list(map(orjson.Fragment, runs))}
    return orjson.dumps(kept).decode()


def _name_of(ref: Any) -> str:
    return str(as_task(ref).get("identifier"))


def unpacked(text: str) -> str:
    """Return the JSON of a draft that `packed` returned.

    Raises:
        BadRequest: it did not.
        RequestDataTooBig: forms cannot take as much.
    """
    try:
        kept = orjson.loads(text)
        runs = [orjson.dumps(run)[1:-1] for run in kept["runs"]]
        found = {int(place): numbers for place, numbers in kept["inputs"].items()}
        size = sum(len(runs[number]) for numbers in found.values() for number in numbers)
        if size > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            message = _(
                "A form takes at most %(limit)s of JSON. Register some tasks first and add the "
                "others on the plan's page."
            )
            limit = filesizeformat(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
            raise RequestDataTooBig(message % {"limit": limit})
        for place, numbers in found.items():
            inputs = b",".join([runs[number] for number in numbers])
            kept["tasks"][place]["inputs"] = orjson.Fragment(b"[" + inputs + b"]")
        return orjson.dumps(kept["tasks"]).decode()
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise BadRequest(_("The draft of the plan cannot be read. Open the page again.")) from error
