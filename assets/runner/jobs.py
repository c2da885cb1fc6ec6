"""Jobs as the server describes them, and the folder that each runs in."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from .dockerfile import NAME_OPTION, Entry
from .engines import JobFolder

BUILD, TASK, TRIAL, LOOK = "build", "task", "trial", "look"
DATA_MANAGER, DATA_SAMPLE = "ASSET_DATA_MANAGER", "ASSET_DATA_SAMPLE"
MODEL, PERFORMANCE = "ASSET_MODEL", "ASSET_PERFORMANCE"


@dataclass(frozen=True, slots=True)
class Function:
    """A function, and the archive that has its code."""

    key: UUID
    name: str
    checksum: str


@dataclass(frozen=True, slots=True)
class Input:
    """One file or folder that a task reads.

    Attributes:
        identifier: of the function's input.
        checksum: the sha256 of its file, or of the content of a folder; blank if not known yet.
        address: where the server has it; None for a folder below the data root.
        path: where it is below the data root; None for a file of the server.
        is_folder: whether the checksum is that of a folder's content, which a server sends as tar.
    """

    identifier: str
    kind: str
    multiple: bool
    key: UUID
    checksum: str
    address: str | None
    path: str | None
    is_folder: bool


@dataclass(frozen=True, slots=True)
class Output:
    """One file that a task writes."""

    identifier: str
    kind: str


@dataclass(frozen=True, slots=True)
class Job:
    """Work that this runner has a lease for.

    Attributes:
        kind: ``build``, ``task``, ``trial`` or ``look``.
        function: None to look at data samples.
        rank: of the task in its plan.
        subject: what the work is for, such as the name of the function, for the console.
        fake_samples: how many samples the opener invents in a trial.
        expires_in: seconds until the lease runs out unless it is renewed.
    """

    key: UUID
    kind: str
    function: Function | None
    rank: int
    subject: str
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    fake_samples: int | None
    expires_in: float


def read_job(data: dict[str, Any]) -> Job:
    """Return the job that the server describes by `data`."""
    function, task = data["function"], data["task"] or {}
    names = (task.get("key"), function["name"]) if function else _paths(data)
    return Job(
        key=UUID(data["key"]),
        kind=data["kind"],
        function=_read_function(function) if function else None,
        rank=task.get("rank", 0),
        subject=" ".join(name for name in names if name),
        inputs=tuple(map(_read_input, data["inputs"])),
        outputs=tuple(Output(each["identifier"], each["kind"]) for each in data["outputs"]),
        fake_samples=data["fake_samples"],
        expires_in=data["expires_in"],
    )


def _paths(data: dict[str, Any]) -> list[str]:
    """Return the folders that a runner looks at."""
    return [each["path"] for each in data["inputs"]]


def _read_function(data: dict[str, Any]) -> Function:
    return Function(UUID(data["key"]), data["name"], data["checksum"])


def _read_input(data: dict[str, Any]) -> Input:
    return Input(
        identifier=data["identifier"],
        kind=data["kind"],
        multiple=data["multiple"],
        key=UUID(data["key"]),
        checksum=data["checksum"] or "",
        address=data["address"],
        path=data["path"],
        is_folder=data["is_folder"],
    )


def lay_out(
    path: Path, job: Job, function: Path, entry: Entry, places: Sequence[Path]
) -> JobFolder:
    """Return the folder of a job, made at `path`, with links to the function and the inputs.

    Args:
        places: where each of the job's inputs is, in their order.
    """
    folder = JobFolder(path, (function, *places), entry)
    inputs = path / "inputs"
    for made in (inputs, folder.outputs, folder.work):
        made.mkdir(parents=True)
    folder.function.symlink_to(function)
    given = []
    for number, (each, place) in enumerate(zip(job.inputs, places, strict=True)):
        link = inputs / _name(each, number)
        if not link.is_symlink():  # a sample may be given twice
            link.symlink_to(place)
        given.append((each.identifier, link, each.multiple or each.kind == DATA_SAMPLE))
    # Several paths of one output are not a thing that functions can be given.
    taken = [(each.identifier, output_path(folder, job, each), False) for each in job.outputs]
    arguments = [NAME_OPTION, entry.function_name]
    arguments += ["--task-properties", _text({"rank": job.rank})]
    arguments += ["--inputs", _resources(given), "--outputs", _resources(taken)]
    arguments += ["--log-level", "warning", "--log-path", str(folder.work / "log")]
    if job.fake_samples is not None:
        arguments += ["--fake-data", "--n-fake-samples", str(job.fake_samples)]
    folder.arguments.write_text("".join(f"{each}\n" for each in arguments), encoding="utf-8")
    return folder


def output_path(folder: JobFolder, job: Job, output: Output) -> Path:
    """Return where the function has to write an output."""
    return folder.outputs / str(job.outputs.index(output))


def _name(each: Input, number: int) -> str:
    """Return the name of an input's link, by which openers and samples are known."""
    if each.kind == DATA_MANAGER:
        return f"opener{number}.py"
    return str(each.key) if each.kind == DATA_SAMPLE else f"model{number}"


def _resources(found: list[tuple[str, Path, bool]]) -> str:
    """Return what substratools reads as ``--inputs`` or ``--outputs``."""
    return _text(
        [
            {"id": identifier, "value": str(path), "multiple": multiple}
            for identifier, path, multiple in found
        ]
    )


def _text(value: object) -> str:
    # substratools turns the backslashes of escapes into slashes.
    return json.dumps(value, ensure_ascii=False)
