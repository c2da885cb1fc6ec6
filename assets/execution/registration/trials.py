"""Dry runs: begins them, keeps the last ones, and has runners do them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from ...accounts.models import Runner, User
from ...accounts.rules import is_admin
from ...common.audit import Action, SubjectKind, log_event
from ...common.errors import Code, Problem, not_found, refuse, refuse_if
from ...common.kinds import AssetKind
from ...datasets.models import Dataset
from ...functions.models import Function, FunctionInput, FunctionOutput
from ...permissions.access import check_may_register, why_not_download
from ..models import Job, Trial
from ..queries.approvals import Policy, function_is_approved, policy_of
from ..queries.runners import runners_of
from ..rules import TRIAL, check_fake_samples
from ..specs import TrialSpec
from .leases import begin_jobs
from .work import Failure, Report, Work

# How many dry runs of a function each organisation keeps.
KEPT = 20
UNENDED = (Trial.Status.WAITING, Trial.Status.EXECUTING)


def check_may_try(function: Function, actor: User) -> Iterator[Problem]:
    """Yield what keeps the actor from trying a function, whatever the dataset."""
    if problems := list(check_may_register(actor)):
        yield from problems
        return
    if why_not := why_not_download(actor, function.permissions, function.owner_id):
        yield _problem(why_not, "function_key", Code.FORBIDDEN)
        return
    own = actor.acts_for
    # Who approves functions may try one before.
    is_restricted = policy_of(own) != Policy.ALL and not is_admin(actor)
    if is_restricted and not function_is_approved(function, own):
        message = _(
            "your runners run what your organisation approves only. Ask an admin to try this "
            "function, or to approve it."
        )
        yield _problem(message, "function_key", Code.FORBIDDEN)
    if not runners_of(own).exists():
        message = _("your organisation has no runner. Ask an admin to register one.")
        yield _problem(message, "function_key")
    if needed := _models_needed(function):
        message = _(
            "this function needs a model (%(inputs)s), and a dry run has none. Register a task to "
            "run it."
        )
        yield _problem(message % {"inputs": ", ".join(needed)}, "function_key")
    trials = Trial.objects.filter(function=function, organization=own, status__in=UNENDED)
    if trials.count() >= KEPT:
        message = _("%(count)d dry runs of this function wait already. Wait until one has ended.")
        yield _problem(message % {"count": KEPT}, "function_key")


def _problem(message: str, field: str, code: Code = Code.INVALID) -> Problem:
    return Problem(code, message, field, TRIAL)


def _models_needed(function: Function) -> list[str]:
    inputs = FunctionInput.objects.filter(function=function, kind=AssetKind.MODEL, optional=False)
    return list(inputs.order_by("position").values_list("identifier", flat=True))


def takes_dataset(function: Function) -> bool:
    """Return whether a function reads data, so that a dry run needs a dataset's opener."""
    return FunctionInput.objects.filter(function=function, kind=AssetKind.DATA_MANAGER).exists()


def check_trial(spec: TrialSpec, actor: User) -> list[Problem]:
    """Return every problem with a dry run; writes nothing."""
    functions = Function.objects.select_related("permissions")
    function = functions.filter(pk=spec.function_key).first()
    if function is None:
        problem = not_found("function", spec.function_key)
        return [_problem(problem.message, "function_key", Code.BAD_REQUEST)]
    return [
        *check_may_try(function, actor),
        *_check_dataset(spec.dataset_key, function, actor),
        *check_fake_samples(spec.fake_samples),
    ]


def _check_dataset(key: UUID | None, function: Function, actor: User) -> Iterator[Problem]:
    if not takes_dataset(function):
        if key is not None:
            yield _problem(_("this function takes no dataset. Leave it out."), "dataset_key")
        return
    if key is None:
        message = _("cannot be blank: this function takes a dataset, whose opener makes fake data.")
        yield _problem(message, "dataset_key")
        return
    dataset = Dataset.objects.select_related("permissions").filter(pk=key).first()
    if dataset is None:
        yield _problem(not_found("datamanager", key).message, "dataset_key", Code.BAD_REQUEST)
    elif why_not := why_not_download(actor, dataset.permissions, dataset.owner_id):
        yield _problem(why_not, "dataset_key", Code.FORBIDDEN)


def begin_trial(spec: TrialSpec, actor: User) -> Trial:
    """Begin a dry run for the actor's organisation and return it; older ones are deleted.

    Raises:
        Refused: `check_trial` finds a problem.
    """
    refuse_if(check_trial(spec, actor))
    trial = Trial(
        organization_id=actor.acts_for,
        function_id=spec.function_key,
        dataset_id=spec.dataset_key,
        creator=actor,
        fake_samples=spec.fake_samples,
    )
    with transaction.atomic():
        trial.save(force_insert=True)
        _delete_old(trial)
        log_event(
            Action.CREATED,
            SubjectKind.TRIAL,
            key=trial.key,
            name=trial.function.name,
            actor=actor,
            detail={"function_key": str(trial.function_id)},
        )
    return trial


def _delete_old(trial: Trial) -> None:
    """Delete the ended dry runs of the same function, except for the last ones."""
    same = Trial.objects.filter(function=trial.function_id, organization=trial.organization_id)
    old = list(same.order_by("-creation_date", "key").values_list("pk", flat=True)[KEPT:])
    same.filter(pk__in=old).exclude(status__in=UNENDED).delete()


class TrialWork(Work):
    """Dry runs of the runner's organisation, after everything else."""

    kind = "trial"
    subject = "trial"
    # Nothing cancels a dry run.
    running = {"trial__isnull": False}

    def waiting(self, organization: Any) -> QuerySet:
        return Trial.objects.filter(organization=organization, status=Trial.Status.WAITING)

    def begin(self, runner: Runner, limit: int) -> list[Job]:
        waiting = self.waiting(runner.organization_id).order_by("creation_date", "key")
        begun: list[Job] = []
        for key in waiting.values_list("pk", flat=True)[:limit]:
            now = timezone.now()
            with transaction.atomic():
                if self._move(key, Trial.Status.WAITING, Trial.Status.EXECUTING, start_date=now):
                    begun += begin_jobs(runner, self.subject, {key: 0}, now)
        return begun

    def abandoned(self, organization: Any, now: Any) -> QuerySet:
        executing = Trial.objects.filter(organization=organization, status=Trial.Status.EXECUTING)
        return self.without_runner(executing, now).values_list("pk", flat=True)

    def finish(self, job: Job, report: Report) -> None:
        trial = Trial.objects.get(pk=self.key_of(job))
        _check_measured(trial, report.performances)
        self._end(
            trial.pk, Trial.Status.DONE, performances=dict(report.performances), logs=report.logs
        )

    def fail(self, job: Job, failure: Failure, begin: Callable[[], object]) -> None:
        logs = failure.logs.read().decode() if failure.logs else ""
        with transaction.atomic():
            begin()
            self._end(
                self.key_of(job), Trial.Status.FAILED, error_type=failure.error_type, logs=logs
            )

    def report_steps(self, job: Job, steps: Mapping[str, int]) -> None:
        """Write nothing: how long a dry run takes says nothing about real data."""

    def _end(self, key: UUID, status: Trial.Status, *, logs: str, **values: Any) -> None:
        # PostgreSQL stores no NUL.
        values |= {"logs": logs.replace("\0", "\N{REPLACEMENT CHARACTER}")}
        self._move(key, Trial.Status.EXECUTING, status, end_date=timezone.now(), **values)

    def _move(self, key: UUID, before: Trial.Status, after: Trial.Status, **values: Any) -> bool:
        trials = Trial.objects.filter(pk=key, status=before)
        return bool(trials.update(status=after, **values))


TRIALS = TrialWork()


def _check_measured(trial: Trial, performances: Mapping[str, float]) -> None:
    """Check that a dry run measured what its function declares.

    Raises:
        Refused: it did not.
    """
    declared = FunctionOutput.objects.filter(
        function=trial.function_id, kind=AssetKind.PERFORMANCE
    ).values_list("identifier", flat=True)
    if different := sorted(set(declared) ^ performances.keys()):
        message = f"The function's performances are not these: {', '.join(different)} differ."
        raise refuse(Code.INVALID, message, field="performances")
