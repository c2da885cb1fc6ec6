"""One job, from what it needs to the report of how it ended."""

import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event, Lock
from typing import Any

from ..common.files.archives.names import UnsafeArchive
from ..common.files.digest import folder_digest
from .cache import Cache
from .client import Client, checksum_of
from .dockerfile import BuildError, Entry, read_entry
from .engines import (
    BUILD_ERROR,
    EXECUTION_ERROR,
    INTERNAL_ERROR,
    Engine,
    JobFolder,
    Limits,
    Outcome,
)
from .engines.limits import LastBytes
from .jobs import BUILD, DATA_SAMPLE, LOOK, MODEL, TASK, TRIAL, Input, Job, lay_out, output_path
from .outputs import BadOutput, check_file, read_performance
from .samples import BadSample, DataRoot
from .scratch import remove_tree
from .stopping import check
from .unpacking import unpack

FINISH, FAIL = "finish", "fail"
MOST_SHOWN = 500  # characters of a cause on the console


class Failed(Exception):
    """A function failed, by no fault of the runner."""

    def __init__(self, error_type: str, logs: bytes = b"", cause: str = "") -> None:
        super().__init__(cause or error_type)
        self.error_type, self.logs, self.cause = error_type, logs, cause


@dataclass(frozen=True, slots=True)
class Report:
    """How a job ended: the name of the report, its body, and why it failed, for the console."""

    name: str
    body: dict[str, Any]
    cause: str = ""


def failure(error_type: str, text: str, steps: "Steps") -> Report:
    """Return the report of a failure. Why a runner failed stays with its organisation."""
    logs = "" if error_type == INTERNAL_ERROR else text
    body = {"error_type": error_type, "logs": logs, "steps": steps.all()}
    return Report(FAIL, body, text.strip().rpartition("\n")[2][-MOST_SHOWN:] or error_type)


class Steps:
    """How long the steps of a job took, in microseconds. Threads may share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._measured: dict[str, int] = {}
        self._is_new = False

    @contextmanager
    def measured(self, name: str) -> Iterator[None]:
        """Measure the block as a step of that name."""
        started = time.perf_counter_ns()
        try:
            yield
        finally:
            with self._lock:
                self._measured[name] = (time.perf_counter_ns() - started) // 1000
                self._is_new = True

    def all(self) -> dict[str, int]:
        """Return all steps, for the report of the end."""
        with self._lock:
            self._is_new = False
            return dict(self._measured)

    def news(self) -> dict[str, int]:
        """Return all steps if one was measured since the last call, otherwise none."""
        with self._lock:
            measured, self._is_new = (dict(self._measured) if self._is_new else {}), False
            return measured


@dataclass(frozen=True, slots=True)
class Worker:
    """What every job of a runner is worked on with."""

    client: Client
    engine: Engine
    cache: Cache
    data_root: DataRoot
    limits: Limits
    scratch: Path

    def work(self, job: Job, steps: Steps, stop: Event) -> Report:
        """Return the report about a job, whose models were sent.

        Raises:
            Stopped: `stop` was set.
            JobLost, TokenRefused: the job is no longer this runner's.
            Exception: the runner failed, or what it needs.
        """
        folder = self._folder(job)
        folder.mkdir()
        works = {BUILD: self._build, TASK: self._run, TRIAL: self._run, LOOK: self._look}
        try:
            return Report(FINISH, works[job.kind](job, folder, steps, stop))
        except Failed as error:
            logs = LastBytes(self.limits.log_bytes)
            logs.add(error.logs)
            text = log_text(logs.value(error.cause), self.limits.log_bytes)
            return failure(error.error_type, text, steps)

    def clean(self, job: Job) -> None:
        """Remove what is left of a job, once it is reported: that can wait."""
        remove_tree(self._folder(job))

    def _folder(self, job: Job) -> Path:
        return self.scratch / str(job.key)

    def _look(self, job: Job, _folder: Path, _steps: Steps, stop: Event) -> dict[str, Any]:
        """Look at folders below the data root, and return their checksums and sizes."""
        samples = []
        for each in job.inputs:
            check(stop)
            found: dict[str, Any] = {"key": str(each.key)}
            try:
                found["checksum"], found["size"] = self.data_root.digest(each.path or "")
            except BadSample as error:
                found["problem"] = str(error)
            samples.append(found)
        return {"samples": samples}

    def _build(self, job: Job, folder: Path, steps: Steps, stop: Event) -> dict[str, Any]:
        digest = job.function.checksum if job.function else ""
        with ExitStack() as stack:
            with steps.measured("save_function"):
                function = stack.enter_context(self._function(job, folder, stop))
            with steps.measured("build_image"):
                _entry(function, BUILD_ERROR)
                _check(self.engine.build(function, digest, self.limits, stop), stop)
        return {"steps": steps.all()}

    def _run(self, job: Job, folder: Path, steps: Steps, stop: Event) -> dict[str, Any]:
        digest = job.function.checksum if job.function else ""
        with ExitStack() as stack:
            with steps.measured("download_function"):
                function = stack.enter_context(self._function(job, folder, stop))
            with steps.measured("prepare_inputs"):
                places = [
                    stack.enter_context(self._input(each, folder, stop)) for each in job.inputs
                ]
                entry = _entry(function, EXECUTION_ERROR)
                laid_out = lay_out(folder, job, function, entry, places)
            with steps.measured("task_execution"):
                outcome = self.engine.run(laid_out, digest, self.limits, stop)
                _check(outcome, stop)
            with steps.measured("save_outputs"):
                performances = self._save_outputs(job, laid_out, outcome, stop)
        body: dict[str, Any] = {"performances": performances, "steps": steps.all()}
        if job.kind == TRIAL:
            body["logs"] = log_text(outcome.logs, self.limits.log_bytes)
        return body

    # --- What a job needs ------------------------------------------------------------------------

    @contextmanager
    def _function(self, job: Job, folder: Path, stop: Event) -> Iterator[Path]:
        """Yield the folder of the function's unpacked archive."""
        if job.function is None:
            raise ValueError(f"the job {job.key} has no function")
        checksum, archive = job.function.checksum, folder / "archive"

        def make(path: Path) -> None:
            self.client.download_function(job.key, archive, checksum, stop)
            unpack(archive, path)
            archive.unlink()

        try:
            with self.cache.held(f"function-{checksum}", make, stop) as path:
                yield path
        except UnsafeArchive as error:
            error_type = BUILD_ERROR if job.kind == BUILD else EXECUTION_ERROR
            raise Failed(error_type, cause=f"The function's archive: {error}") from error

    @contextmanager
    def _input(self, each: Input, folder: Path, stop: Event) -> Iterator[Path]:
        """Yield where an input is: a file, or the folder of a data sample."""
        try:
            if each.path is not None:
                yield self.data_root.check(each.path, each.checksum)
                return
            is_sample = each.kind == DATA_SAMPLE
            make = partial(self._fetch, each, folder / "archive" if is_sample else None, stop)
            name = f"{'sample' if is_sample else 'file'}-{each.checksum}"
            with self.cache.held(name, make, stop) as path:
                yield path
        except (BadSample, UnsafeArchive) as error:
            cause = f"The data sample {each.key}: {error}"
            raise Failed(EXECUTION_ERROR, cause=cause) from error

    def _fetch(self, each: Input, archive: Path | None, stop: Event, path: Path) -> None:
        """Write an input to `path`, unpacked from `archive` if that is given."""
        address = each.address or ""
        if archive is None:
            self.client.download(address, path, each.checksum, stop)
            path.chmod(0o444)
            return
        if each.is_folder:
            self.client.download_stream(address, archive, stop)
        else:
            self.client.download(address, archive, each.checksum, stop)
        unpack(archive, path)
        archive.unlink()
        if each.is_folder and folder_digest(path)[0] != each.checksum:
            raise BadSample("its folder on the server has changed. Register it as a new one.")

    # --- What a job made -------------------------------------------------------------------------

    def _save_outputs(
        self, job: Job, folder: JobFolder, outcome: Outcome, stop: Event
    ) -> dict[str, float]:
        """Send the models of a task, and return its performances by their identifiers."""
        models: dict[str, Path] = {}
        performances: dict[str, float] = {}
        try:
            for output in job.outputs:
                path = output_path(folder, job, output)
                if output.kind == MODEL:
                    check_file(path, output.identifier, self.limits.output_bytes)
                    models[output.identifier] = path
                else:
                    performances[output.identifier] = read_performance(path, output.identifier)
        except BadOutput as error:
            raise Failed(EXECUTION_ERROR, outcome.logs, str(error)) from error
        for identifier, path in models.items() if job.kind == TASK else ():
            checksum = checksum_of(path, stop)
            self.client.upload(job.key, identifier, path, checksum, stop)
            self._keep(path, checksum, stop)
        return performances

    def _keep(self, path: Path, checksum: str, stop: Event) -> None:
        """Keep a model for the tasks that follow, which often run on the same machine."""

        def make(place: Path) -> None:
            shutil.move(path, place)
            place.chmod(0o444)

        with self.cache.held(f"file-{checksum}", make, stop):
            pass


def _entry(function: Path, error_type: str) -> Entry:
    try:
        return read_entry(function)
    except BuildError as error:
        raise Failed(error_type, cause=str(error)) from error


def _check(outcome: Outcome, stop: Event) -> None:
    """Raise `Failed` if work went wrong, or `Stopped` if it was no longer wanted."""
    check(stop)
    if outcome.error_type:
        raise Failed(outcome.error_type, outcome.logs)


def log_text(logs: bytes, limit: int) -> str:
    """Return the end of logs as text that has at most `limit` bytes as UTF-8."""
    text = logs.decode(errors="replace").encode()[-limit:]
    return text.decode(errors="ignore")
