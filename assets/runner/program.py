"""The loop of a runner: it claims jobs, keeps their leases, works on some at once, and stops."""

import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Condition, Event, Thread, Timer
from uuid import UUID

from .client import CLAIM_SECONDS, Claim, Client, JobLost, WrongContent
from .connection import Refusal, Say, TokenRefused
from .engines import INTERNAL_ERROR, EngineError
from .jobs import Job, read_job
from .stopping import Stopped
from .work import FAIL, Report, Steps, Worker, failure

# Seconds between two looks at what there is to report, and for the last reports when stopping.
_TICK = 2.0
_LAST_SECONDS = 10.0
_RENEWALS_A_LEASE = 3
# Seconds between claims if the server does not wait for work itself.
PAUSE = 1.0
# What fails without a fault of the program; its place in the program helps no one.
_OUTSIDE = (OSError, Refusal, WrongContent)


@dataclass(slots=True)
class _Running:
    """A job that is worked on. `stop` ends the work, and `why` says why."""

    job: Job
    steps: Steps = field(default_factory=Steps)
    stop: Event = field(default_factory=Event)
    why: str = ""
    give_back: bool = False

    def end(self, why: str, *, give_back: bool = False) -> None:
        self.why, self.give_back = why, give_back
        self.stop.set()


class Program:
    """A runner at work.

    Args:
        claim: what it says about itself; `jobs` is how many it works on at once.
        grace: seconds that jobs have to end after `stop`, before they are given back.
        once: whether to end when there is no work.
    """

    def __init__(
        self, client: Client, worker: Worker, claim: Claim, say: Say, *, grace: float, once: bool
    ) -> None:
        self.client, self.worker, self.claim, self.say = client, worker, claim, say
        self.grace, self.once = grace, once
        self._running: dict[UUID, _Running] = {}
        self._changed = Condition()  # around `_running`
        self._lease = 60.0
        self._stopping = Event()  # claim no more
        self._closed = Event()  # renew no more
        self._fatal: Exception | None = None  # why the runner cannot go on

    def stop(self) -> None:
        """Let the runner end: it claims no more, and what it works on has its grace."""
        self._stopping.set()

    def run(self) -> None:
        """Work until the runner is stopped.

        Raises:
            TokenRefused: the server accepts the token no longer.
            Refusal: the server has no API for runners, or not this one.
            EngineError: the engine works no longer; what ran is given back.
        """
        Thread(target=self._keep_leases, daemon=True).start()
        try:
            self._claim_until_stopped()
            self._finish()
        finally:
            self._closed.set()
        if self._fatal:
            raise self._fatal

    # --- Claims ----------------------------------------------------------------------------------

    def _claim_until_stopped(self) -> None:
        try:
            while not self._stopping.is_set() and self._claim_some():
                pass
        except Stopped:
            pass
        except Exception as error:  # noqa: BLE001  raised once what runs is given back
            self._end_all(error)

    def _claim_some(self) -> bool:
        """Claim as many jobs as there is room for, and start them; return whether to go on."""
        most = self.claim["jobs"]
        busy = self._wait_until(lambda count: count < most)
        if busy >= most:
            return True  # stopping
        claim: Claim = {**self.claim, "jobs": most - busy}
        wait, asked = 0 if self.once else CLAIM_SECONDS, time.monotonic()
        found = self.client.claim(claim, wait=wait, stop=self._stopping)
        for data in found:
            self._start(read_job(data))
        if found:
            return True
        if not self.once:
            if time.monotonic() - asked < PAUSE:
                self._stopping.wait(PAUSE)
            return True
        # What ends may be what others wait for.
        return busy > 0 and self._wait_until(lambda count: count < busy) < busy

    def _start(self, job: Job) -> None:
        running = _Running(job)
        self._lease = job.expires_in
        with self._changed:
            self._running[job.key] = running
        Thread(target=self._work, args=(running,), daemon=True).start()

    def _wait_until(self, reached: Callable[[int], bool], seconds: float | None = None) -> int:
        """Return how many jobs run, when `reached` says so, or at the latest after `seconds`.

        Without `seconds`, the wait ends when the runner is stopped.
        """
        end = None if seconds is None else time.monotonic() + seconds
        with self._changed:
            while not reached(len(self._running)):
                if self._stopping.is_set() if end is None else time.monotonic() >= end:
                    break
                # A signal's handler can set an event, but must not wait for this lock.
                self._changed.wait(0.2)
            return len(self._running)

    # --- Jobs ------------------------------------------------------------------------------------

    def _work(self, running: _Running) -> None:
        """Work on a job, report it, and say how it ended in one line."""
        job, started, ended = running.job, time.monotonic(), "failed"
        try:
            ended = self._report(running, self._result(running))
        except Stopped:
            ended = self._give_back(job) if running.give_back else f"stopped: {running.why}"
        except JobLost as error:
            ended = f"lost: {error}"
        except EngineError as error:
            # As of any later job: they are others' to run, until the engine works again.
            self._end_all(error)
            ended = self._give_back(job)
        except TokenRefused as error:
            self._end_all(error)
            ended = f"the server refuses the token: {error}"
        except Refusal as error:
            ended = f"its report is refused: {error}"
        finally:
            try:
                self.say(f"{job.kind} {job.subject}: {ended} ({time.monotonic() - started:.1f} s)")
            finally:  # whoever reads the console may have gone
                with self._changed:
                    del self._running[job.key]
                    self._changed.notify_all()
                self.worker.clean(job)

    def _result(self, running: _Running) -> Report:
        """Return the report about a job; a failure of the runner is one, too."""
        try:
            return self.worker.work(running.job, running.steps, running.stop)
        except (Stopped, JobLost, TokenRefused, EngineError):
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, other jobs go on
            if not isinstance(error, _OUTSIDE):
                self.say(traceback.format_exc())
            return failure(INTERNAL_ERROR, f"{type(error).__name__}: {error}", running.steps)

    def _report(self, running: _Running, report: Report) -> str:
        """Send the report, and return how the job ended."""
        key, stop = running.job.key, running.stop
        try:
            self.client.report(key, report.name, report.body, stop)
        except Refusal as error:
            if report.name == FAIL:
                raise
            report = failure(
                INTERNAL_ERROR, f"The server refuses the results: {error}", running.steps
            )
            self.client.report(key, report.name, report.body, stop)
        return f"failed: {report.cause}" if report.name == FAIL else "done"

    def _give_back(self, job: Job) -> str:
        enough = Event()
        timer = Timer(_LAST_SECONDS, enough.set)
        timer.start()
        try:
            self.client.report(job.key, "give_back", {}, enough)
        except (Stopped, JobLost, Refusal, TokenRefused) as error:
            return f"stopped, and not given back: {error}"
        finally:
            timer.cancel()
        return "given back"

    # --- Leases ----------------------------------------------------------------------------------

    def _keep_leases(self) -> None:
        """Renew the leases of what runs, and report its steps, until the runner ends."""
        renewed = time.monotonic()
        while not self._closed.wait(min(_TICK, self._lease / (2 * _RENEWALS_A_LEASE))):
            try:
                if time.monotonic() - renewed >= self._lease / _RENEWALS_A_LEASE:
                    renewed = time.monotonic()
                    self._renew()
                self._report_steps()
            except Stopped:
                return
            except TokenRefused as error:
                self._end_all(error)
                return
            except Refusal as error:
                self.say(str(error))

    def _renew(self) -> None:
        running = self._all_running()
        if not running:
            return
        states = self.client.renew(list(running), self._closed)
        for key, job in running.items():
            state = states.get(key, {"stop": "the server does not know it"})
            if "stop" in state:
                job.end(state["stop"])
            else:
                self._lease = state["expires_in"]

    def _report_steps(self) -> None:
        for key, running in self._all_running().items():
            if steps := running.steps.news():
                # The job may end at the same time; if it is lost, its renewal says so.
                with suppress(JobLost, Stopped):
                    self.client.report(key, "steps", {"steps": steps}, running.stop)

    def _all_running(self) -> dict[UUID, _Running]:
        with self._changed:
            return dict(self._running)

    # --- The end ---------------------------------------------------------------------------------

    def _end_all(self, error: Exception) -> None:
        """End the runner, which cannot go on; what runs is given back if the server listens."""
        self._fatal = error
        self._stopping.set()
        for running in self._all_running().values():
            running.end(str(error), give_back=not isinstance(error, TokenRefused))

    def _finish(self) -> None:
        """Wait for what runs, and give back what takes too long."""
        self._wait_until(lambda count: not count, 0 if self._fatal else self.grace)
        for running in self._all_running().values():
            if not running.stop.is_set():
                running.end("the runner stops", give_back=True)
        self._wait_until(lambda count: not count, _LAST_SECONDS)
