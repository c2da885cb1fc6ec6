"""Pages of dry runs: begin one, and follow it."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy as _

from ...accounts.pages.base import ObjectPageMixin
from ...accounts.pages.waiting import Line, WorkMixin
from ...common.errors import Problem
from ...common.pages.base import Crumb, Page, crumb
from ...common.pages.snippets import Snippets, api_url, curl
from ...common.parsing import as_key
from ...feed.pages.assets import AssetPageMixin
from ...functions.pages import FunctionPageMixin
from ...permissions.pages import FormPage
from ..forms import TrialForm
from ..models import Trial
from ..queries.trials import trials_of
from ..registration.trials import check_may_try
from ..specs import TrialSpec


class TryPage(FunctionPageMixin, AssetPageMixin, FormPage):
    """Begins a dry run of a function, or says what is missing."""

    form_class = TrialForm
    can_import = False
    title = _("Try %(name)s")
    button = _("Try it")
    unsaved = _("Nothing was begun.")
    note = _(
        "A runner of your organisation runs the function on data that the opener makes up. Nothing "
        "is registered, and only your organisation sees the outcome."
    )

    def asset(self) -> Any:
        return self.object

    def why_not(self) -> Iterable[Problem]:
        return check_may_try(self.object, self.user)

    def snippets(self, form: TrialForm) -> Snippets:
        spec: TrialSpec = form.spec
        body: dict[str, Any] = {"function_key": str(spec.function_key)}
        if spec.dataset_key:
            body |= {"dataset_key": str(spec.dataset_key), "fake_samples": spec.fake_samples}
        return [("curl", "bash", curl(api_url(self.request, "trial-list"), body))]

    def success(self, result: Trial) -> tuple[str, str]:
        return gettext("The dry run waits for a runner."), reverse("trial", args=[result.pk])


class TrialPage(ObjectPageMixin, WorkMixin, Page):
    """Shows a dry run, and follows it until it has ended."""

    template_name = "execution/trial.html"
    title = _("Dry run of %(name)s")

    def load_object(self) -> None:
        key = as_key(self.kwargs["key"])
        found = trials_of(self.user.organization_id).filter(pk=key).first() if key else None
        if found is None:
            raise Http404(gettext("Your organisation has no such dry run. It keeps the last ones."))
        self.object = found

    def get_title(self) -> str:
        return str(self.title) % {"name": self.object.function.name}

    def crumbs(self) -> Sequence[Crumb]:
        function = self.object.function
        return [
            crumb(gettext("Functions"), "functions"),
            crumb(function.name, "function", function.pk),
        ]

    def work(self) -> object:
        return None if self.object.end_date else self.object.status

    def lines(self) -> Iterable[Line]:
        own = self.object.organization_id
        text = {
            Trial.Status.WAITING: gettext("It waits for a runner of %(organization)s."),
            Trial.Status.EXECUTING: gettext("A runner of %(organization)s runs it."),
        }[self.object.status]
        return [(text % {"organization": own}, own)]

    def progress(self) -> str:
        status = {"status": self.object.get_status_display()}
        return gettext("The status of this dry run is: %(status)s.") % status

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(trial=self.object, **kwargs)
