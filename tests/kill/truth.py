"""What is there afterwards: of each attempt all or nothing, and all if it was answered."""

import hashlib
import io
from collections import Counter
from collections.abc import Iterable
from typing import Any

import requests
from django.core.management import CommandError, call_command

from assets.common.files.pending import PendingFiles
from assets.compute.models import ComputePlan, Task, TaskInput, TaskOutput
from assets.compute.statuses import COUNTERS
from assets.datasets.models import DataSample, DataSampleLink, Dataset
from assets.feed.models import Event
from assets.functions.models import Function
from assets.uploads.models import Upload

from .client import Attempt

SLOTS = (3, 1)  # inputs and outputs of each function


def registered(keys: Iterable[Any], action: str = Event.Action.REGISTERED) -> list[int]:
    """How often each of the keys has had such an event."""
    events = Event.objects.filter(asset_key__in=list(keys), action=action)
    counts = Counter(str(key) for key in events.values_list("asset_key", flat=True))
    return [counts[str(key)] for key in keys]


# Each returns what is there of an attempt: True for all, False for nothing, None for a part.


def _dataset(attempt: Attempt) -> bool | None:
    opener, description = attempt.checksums
    rows = list(Dataset.objects.filter(opener_checksum=opener))
    if not rows:
        return False
    whole = len(rows) == 1 and rows[0].description_checksum == description
    return (whole and registered([rows[0].pk]) == [1]) or None


def _function(attempt: Attempt) -> bool | None:
    rows = list(Function.objects.filter(name=attempt.name))
    if not rows:
        return False
    [row] = rows
    whole = [row.archive_checksum, row.description_checksum] == attempt.checksums
    slots = row.inputs.count(), row.outputs.count()
    return (whole and slots == SLOTS and registered([row.pk]) == [1]) or None


def _samples(attempt: Attempt) -> bool | None:
    rows = list(DataSample.objects.filter(checksum__in=attempt.checksums))
    if not rows:
        return False
    keys = [row.pk for row in rows]
    linked = DataSampleLink.objects.filter(data_sample__in=keys, dataset__in=attempt.of).count()
    return (
        sorted(row.checksum for row in rows) == sorted(attempt.checksums)
        and linked == len(keys)
        and registered(keys) == [1] * len(keys)
    ) or None


def _tasks(attempt: Attempt) -> bool | None:
    count = len(attempt.keys)
    tasks = Task.objects.filter(pk__in=attempt.keys, compute_plan__in=attempt.of).count()
    outputs = TaskOutput.objects.filter(task__in=attempt.keys).count()
    inputs = TaskInput.objects.filter(task__in=attempt.keys).count()
    found = tasks, outputs, inputs, sum(registered(attempt.keys))
    if not any(found):
        return False
    # Each takes an opener and a sample, and all but the first the one before.
    return found == (count, count, 3 * count - 1, count) or None


def _plan(attempt: Attempt) -> bool | None:
    plans = ComputePlan.objects.filter(pk__in=attempt.of).count()
    tasks = _tasks(attempt)
    if not plans and tasks is False:
        return False
    return (bool(plans and tasks) and registered(attempt.of) == [1]) or None


def _rename(attempt: Attempt) -> bool | None:
    renames = Event.objects.filter(asset_key=attempt.keys[0], action=Event.Action.RENAMED)
    newest = renames.order_by("-id").values_list("asset_name", flat=True).first()
    name = Dataset.objects.get(pk=attempt.keys[0]).name
    if newest is not None and newest != name:
        return None
    return bool(renames.filter(asset_name=attempt.name).exists())


def link_events() -> dict[tuple[Any, str], set[str]]:
    """The samples of each linking, by its moment and its dataset."""
    found: dict[tuple[Any, str], set[str]] = {}
    for event in Event.objects.filter(action=Event.Action.LINKED):
        for dataset in event.detail["data_manager_keys"]:
            found.setdefault((event.timestamp, dataset), set()).add(str(event.asset_key))
    return found


def _link(attempt: Attempt) -> bool | None:
    [dataset] = attempt.of
    linked = DataSampleLink.objects.filter(data_sample__in=attempt.keys, dataset=dataset).count()
    recorded = [keys for (_, of), keys in link_events().items() if of == dataset]
    if set(attempt.keys) not in recorded:
        return False
    return linked == len(attempt.keys) or None


def wrong_links(attempts: list[Attempt]) -> list[str]:
    """What is linked in part: events that are not of all the samples of one attempt."""
    sent = {(item.of[0], *item.keys) for item in attempts if item.kind == "link"}
    events = link_events().items()
    return [f"link: {keys}" for (_, of), keys in events if (of, *sorted(keys)) not in sent]


def _upload(attempt: Attempt) -> bool | None:
    rows = list(Upload.objects.filter(name=attempt.name))
    return bool(rows) and ([row.file_checksum for row in rows] == attempt.checksums or None)


JUDGES = {
    "dataset": _dataset,
    "function": _function,
    "data samples": _samples,
    "tasks": _tasks,
    "plan": _plan,
    "rename": _rename,
    "link": _link,
    "upload": _upload,
}


def judge(attempts: list[Attempt]) -> tuple[Counter, list[str]]:
    """Return how many attempts had which result, and a line for each wrong one."""
    counts: Counter = Counter()
    wrong = []
    for attempt in attempts:
        there = JUDGES[attempt.kind](attempt)
        answer = "answered" if attempt.answered else "unanswered"
        became = {True: "whole", False: "nothing", None: "part"}[there]
        counts[f"{answer}, {became}"] += 1
        if there is None or (attempt.answered and not there):
            wrong.append(f"{answer} {attempt.kind} is {became}: {attempt}"[:600])
    return counts, wrong


def wrong_plans() -> list[str]:
    """The plans whose counters are not what their tasks say."""
    wrong = []
    for plan in ComputePlan.objects.all():
        statuses = Counter(plan.tasks.values_list("status", flat=True))
        counted = {status: getattr(plan, column) for status, column in COUNTERS.items()}
        if plan.task_count != sum(statuses.values()) or any(
            statuses[status] != count for status, count in counted.items()
        ):
            wrong.append(f"plan {plan.key}: {counted}, but {dict(statuses)}")
    return wrong


def wrong_downloads(attempts: list[Attempt], headers: dict[str, str]) -> list[str]:
    """The files of answered registrations that the API does not give as they were sent."""
    files = {
        "dataset": ("opener", "description"),
        "function": ("archive", "description"),
    }
    wrong = []
    for attempt in attempts:
        for name, checksum in zip(files.get(attempt.kind, ()), attempt.checksums, strict=False):
            if not attempt.answered:
                continue
            address = attempt.answer[name]["storage_address"]
            content = requests.get(address, headers=headers, timeout=60).content
            if hashlib.sha256(content).hexdigest() != checksum:
                wrong.append(f"{attempt.kind} {attempt.name}: {name} is another")
    return wrong


def wrong_files() -> list[str]:
    """Return what `check_files` complains about, and the pending files that remain."""
    out = io.StringIO()
    try:
        call_command("check_files", stdout=out, stderr=out)
    except CommandError as error:
        return [f"{error}\n{out.getvalue()}"]
    return [f"loose: {row}" for row in PendingFiles.objects.all() if not _never_written(row)]


def _never_written(row: PendingFiles) -> bool:
    """A process may be killed while its announcement is on its way; that writes no file."""
    from django.core.files.storage import default_storage

    return not any(default_storage.exists(name) for name in row.names)
