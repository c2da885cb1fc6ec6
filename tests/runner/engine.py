"""An engine that runs what a test says, in the runner's own process."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

from assets.runner.engines import JobFolder, Limits, Outcome


@dataclass(frozen=True)
class Call:
    """What a function gets, read from the file of its arguments as substratools reads it."""

    folder: JobFolder
    digest: str
    limits: Limits
    stop: Event
    options: dict[str, str]

    @property
    def inputs(self) -> list[dict[str, Any]]:
        return json.loads(self.options["--inputs"])

    @property
    def outputs(self) -> dict[str, Path]:
        outputs = json.loads(self.options["--outputs"])
        return {output["id"]: Path(output["value"]) for output in outputs}


def read_call(folder: JobFolder, digest: str, limits: Limits, stop: Event) -> Call:
    lines = folder.arguments.read_text(encoding="utf-8").splitlines()
    options, words = {}, iter(lines)
    for word in words:
        options[word] = "" if word == "--fake-data" else next(words)
    return Call(folder, digest, limits, stop, options)


@dataclass
class FakeEngine:
    """Runs `function` for each job, and remembers what it was asked."""

    function: Callable[[Call], Outcome | None] = lambda call: None
    building: Callable[[Path], Outcome | None] = lambda path: None
    name: str = "fake"
    calls: list[Call] = field(default_factory=list)
    built: list[str] = field(default_factory=list)
    is_closed: bool = False

    def check(self) -> None:
        """It works everywhere."""

    def build(self, function: Path, digest: str, limits: Limits, stop: Event) -> Outcome:
        self.built.append(digest)
        return self.building(function) or Outcome()

    def run(self, folder: JobFolder, digest: str, limits: Limits, stop: Event) -> Outcome:
        call = read_call(folder, digest, limits, stop)
        self.calls.append(call)
        return self.function(call) or Outcome()

    def close(self) -> None:
        self.is_closed = True
