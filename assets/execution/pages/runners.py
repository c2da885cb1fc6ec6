"""Pages of an organisation's runners: its admins register and revoke them, everyone watches."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy as _

from ...accounts.models import Runner
from ...accounts.pages.base import (
    ConfirmPage,
    ObjectPageMixin,
    PasswordConfirmedMixin,
    WriterPage,
    show_once,
)
from ...accounts.registration.runners import revoke_runner
from ...accounts.rules import acts_for_one, may_manage_runners
from ...common.errors import Problem
from ...common.pages.base import Crumb, Page, crumb
from ...common.pages.markup import tag
from ...common.parsing import as_key
from ...permissions.pages import FormPage
from ..forms import PolicyForm, RunnerForm
from ..models import Job
from ..queries.approvals import policy_of
from ..queries.runners import is_seen, jobs_lately, jobs_now, revoked_runners_of, runners_of
from ..registration.approvals import check_may_decide

# How many jobs of each runner the page of all runners names, and how many a runner's own page.
NAMED_JOBS, PREVIEW_ROWS = 3, 50
# How many revoked runners are listed.
REVOKED_ROWS = 10


class Row(NamedTuple):
    """A runner, and what it does."""

    runner: Runner
    state: SafeString
    jobs: Sequence[Job]
    more_jobs: int


def rows_of(runners: Sequence[Runner]) -> list[Row]:
    """Return the runners with what they run now; one query."""
    jobs: Mapping[UUID, list[Job]] = defaultdict(list)
    for job in jobs_now([runner.pk for runner in runners]) if runners else ():
        jobs[job.runner_id].append(job)
    return [
        Row(runner, state_of(runner, jobs[runner.pk]), jobs[runner.pk][:NAMED_JOBS], more)
        for runner in runners
        for more in [len(jobs[runner.pk][NAMED_JOBS:])]
    ]


def state_of(runner: Runner, jobs: Sequence[Job]) -> SafeString:
    """Return what the runner does, as a badge."""
    if runner.revoked_at:
        return tag(gettext("revoked"), "bad")
    if jobs:
        return tag(gettext("running"), "accent")
    if is_seen(runner, timezone.now()):
        return tag(gettext("ready"), "good")
    return tag(gettext("not running"), "warn")


class RunnersMixin(ObjectPageMixin):
    """Mixin of the pages of runners, for users of an organisation."""

    def load_object(self) -> None:
        if not acts_for_one(self.user):
            raise PermissionDenied(
                gettext("Runners work for organisations, and your account belongs to none.")
            )

    def crumbs(self) -> Sequence[Crumb]:
        return [crumb(gettext("Runners"), "runners")]

    @property
    def may_manage(self) -> bool:
        return may_manage_runners(self.user, self.user.organization_id)

    def require_manager(self) -> None:
        """Raise PermissionDenied unless the user manages the runners of its organisation."""
        if not self.may_manage:
            raise PermissionDenied(gettext("Ask an admin of your organisation to manage runners."))


class RunnersPage(RunnersMixin, Page):
    """The runners of the user's organisation, and what they may run."""

    template_name = "execution/runners.html"
    title = _("Runners")

    def crumbs(self) -> Sequence[Crumb]:
        return ()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        organization = self.user.organization_id
        return super().get_context_data(
            rows=rows_of(runners_of(organization)),
            revoked=revoked_runners_of(organization)[:REVOKED_ROWS],
            policy=policy_of(organization),
            may_manage=self.may_manage,
            **kwargs,
        )


class OneRunnerMixin(RunnersMixin):
    """Loads the runner whose id is in the URL: one of the user's organisation."""

    def load_object(self) -> None:
        super().load_object()
        own = Runner.objects.filter(organization=self.user.organization_id)
        self.object = own.filter(pk=as_key(self.kwargs["key"])).first()
        if self.object is None:
            raise Http404(gettext("Your organisation has no such runner. See the list of runners."))


class RunnerPage(OneRunnerMixin, Page):
    """A runner: what it runs now, and what it has run lately."""

    template_name = "execution/runner.html"

    def get_title(self) -> str:
        return str(self.object)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        now = list(jobs_now([self.object.pk])[: PREVIEW_ROWS + 1])
        lately = list(jobs_lately(self.object)[: PREVIEW_ROWS + 1])
        return super().get_context_data(
            runner=self.object,
            state=state_of(self.object, now),
            now=now[:PREVIEW_ROWS],
            lately=lately[:PREVIEW_ROWS],
            more=len(lately) > PREVIEW_ROWS,
            shown=PREVIEW_ROWS,
            may_revoke=self.may_manage and not self.object.revoked_at,
            **kwargs,
        )


class RunnerNewPage(RunnersMixin, PasswordConfirmedMixin, WriterPage):
    """Registers a runner, and shows the secret of its token once."""

    title = _("Register a runner")
    button = _("Register runner")
    form_class = RunnerForm
    note = _(
        "A runner is a program on your machine. Its token lets it download what your organisation "
        "may process, and report what it ran. Register one for each machine."
    )
    unsaved = _("No runner was registered.")

    def load_object(self) -> None:
        super().load_object()
        self.require_manager()

    def done(self, form: Any, result: Any) -> HttpResponse:
        server = self.request.build_absolute_uri(reverse("home"))
        context = {"runner": result, "secret": form.secret, "server": server}
        return show_once(self, "execution/runner_made.html", **context)


class RunnerRevokePage(OneRunnerMixin, ConfirmPage):
    """Revokes a runner."""

    title = _("Revoke %(name)s")
    button = _("Revoke runner")
    explanation = _(
        "%(name)s stops as soon as it asks for work or reports. What it runs now is run again by "
        "another runner. You cannot undo this, but you can register a new runner."
    )

    def load_object(self) -> None:
        super().load_object()
        self.require_manager()
        if self.object.revoked_at:
            raise Http404(gettext("This runner is revoked already."))

    def act(self) -> HttpResponse:
        revoke_runner(self.object, self.user)
        message = gettext("Revoked the runner %(name)s.") % {"name": self.object}
        return self.redirect_with_message(reverse("runners"), message)


class PolicyPage(RunnersMixin, PasswordConfirmedMixin, FormPage):
    """Chooses what the runners of the user's organisation run."""

    title = _("What your runners run")
    button = _("Save")
    form_class = PolicyForm
    unsaved = _("Nothing was saved.")
    note = _(
        "Permissions always hold. Beyond them, you can have your runners wait until an admin of "
        "your organisation has approved a function or a compute plan."
    )

    def load_object(self) -> None:
        super().load_object()
        self.require_manager()

    def why_not(self) -> Iterable[Problem]:
        return check_may_decide(self.user)

    def success(self, result: Any) -> tuple[str, str]:
        return gettext("Saved what your runners run."), reverse("runners")
