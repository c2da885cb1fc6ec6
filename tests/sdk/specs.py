"""Legal specs as the SDK takes them, with the files and folders that they name."""

import hashlib
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.builders import (
    CODE,
    DESCRIPTION,
    MODEL_INPUT,
    MODEL_OUTPUT,
    MODELS_INPUT,
    OPENER,
    OPENER_INPUT,
    PERFORMANCE_OUTPUT,
    SAMPLES_INPUT,
    wire_slots,
    zip_of,
)

Spec = dict[str, Any]

PUBLIC: Spec = {"public": True, "authorized_ids": []}
PRIVATE: Spec = {"public": False, "authorized_ids": []}

TRAIN: Spec = {
    "inputs": wire_slots([OPENER_INPUT, SAMPLES_INPUT, MODEL_INPUT]),
    "outputs": wire_slots([MODEL_OUTPUT]),
}
AGGREGATE: Spec = {
    "inputs": [{**slot, "optional": True} for slot in wire_slots([MODELS_INPUT])],
    "outputs": wire_slots([MODEL_OUTPUT]),
}
SCORE: Spec = {
    "inputs": wire_slots([OPENER_INPUT, SAMPLES_INPUT, MODEL_INPUT]),
    "outputs": wire_slots([PERFORMANCE_OUTPUT]),
}


def only_to(*organizations: str) -> Spec:
    return {"public": False, "authorized_ids": list(organizations)}


def granted(permission: Spec, owner: str = "MyOrg1MSP") -> Spec:
    """Return the permission as the server stores it: it always includes the owner."""
    return {**permission, "authorized_ids": sorted({*permission["authorized_ids"], owner})}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def keys_of(assets: list[Spec]) -> list[str]:
    return [asset["key"] for asset in assets]


def unique(text: str = "Name") -> str:
    """Return a name that no other test uses, so that it finds its own assets only."""
    return f"{text} {uuid4().hex[:12]}"


class Specs:
    """Builds specs; their files lie in folders of their own below `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folders = (folder / f"{number}" for number in count())

    def folder(self) -> Path:
        """Make an empty folder."""
        made = next(self._folders)
        made.mkdir()
        return made

    def file(self, name: str, content: bytes) -> Path:
        path = self.folder() / name
        path.write_bytes(content)
        return path

    # What most specs refer to; tests do not change these.

    @cached_property
    def opener(self) -> Path:
        return self.file("opener.py", OPENER)

    @cached_property
    def description(self) -> Path:
        return self.file("description.md", DESCRIPTION)

    @cached_property
    def archive(self) -> Path:
        return self.file("function.zip", zip_of(CODE))

    @cached_property
    def data(self) -> Path:
        return self.sample_folder()

    def dataset(self, **changes: Any) -> Spec:
        values = {
            "name": "Blood counts",
            "type": "tabular",
            "data_opener": self.opener,
            "description": self.description,
            "permissions": PUBLIC,
            "logs_permission": PRIVATE,
            "metadata": {"ward": "7"},
        }
        return {**values, **changes}

    def function(self, **changes: Any) -> Spec:
        values = {
            **TRAIN,
            "name": "Train",
            "file": self.archive,
            "description": self.description,
            "permissions": PUBLIC,
            "metadata": {"library": "numpy"},
        }
        return {**values, **changes}

    def sample_folder(self, content: bytes = b"1;2;3\n") -> Path:
        return self.file("data.csv", content).parent

    def sample(self, *dataset_keys: str, **changes: Any) -> Spec:
        if "path" not in changes and "paths" not in changes:
            changes["path"] = self.data
        return {"data_manager_keys": dataset_keys, **changes}

    def plan(self, *tasks: Spec, **changes: Any) -> Spec:
        values = {
            "key": str(uuid4()),
            "name": "Study",
            "tag": "first",
            "metadata": {"disease": "flu"},
            "tasks": tasks,
        }
        return {**values, **changes}


def single_task(task: Spec) -> Spec:
    """Return a plan's task in the form that `add_task` takes."""
    return {"key": task["task_id"], **{k: v for k, v in task.items() if k != "task_id"}}


def output_of(task: Spec, identifier: str = "shared", output: str = "model") -> Spec:
    """An input that takes what the task makes."""
    return {
        "identifier": identifier,
        "parent_task_key": task["task_id"],
        "parent_task_output_identifier": output,
    }
