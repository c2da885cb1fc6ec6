"""Pages of compute plans and tasks, with what their tasks have made."""

from html import escape
from typing import Any

from django.utils.safestring import SafeString, mark_safe

from ..common.markup import short
from ..common.pages import url_of
from ..compute import task_views, views
from ..compute.task_views import Output
from ..compute.views import SHOWN
from ..permissions.access import may_download, why_no_model
from .models import Model
from .queries import (
    PlanPerformance,
    models_of,
    performances_of,
    plan_performances,
    report_of,
    who_may_read,
)


class ComputePlanPage(views.ComputePlanPage):
    """A compute plan, with what its tasks have measured."""

    def performances(self) -> list[SafeString]:
        return [_row(found) for found in plan_performances(self.object.pk, SHOWN + 1)]


def _row(found: PlanPerformance) -> SafeString:
    """Return a performance as a row of the plan's table."""
    return mark_safe(  # noqa: S308  texts are escaped
        f'<tr><td><a class="mono" href="{url_of("task", found.task_key)}">'
        f'{short(found.task_key)}</a></td><td class="number">{found.rank}</td>'
        f"<td>{escape(found.round_idx or '')}</td><td>{escape(found.worker)}</td>"
        f'<td>{escape(found.identifier)}</td><td class="number">{found.value}</td></tr>'
    )


class TaskPage(task_views.TaskPage):
    """A task, with what it has made, and why it failed."""

    def outputs(self) -> list[Output]:
        found = super().outputs()
        models, performances = models_of(self.object.pk), performances_of(self.object.pk)
        for output in found:
            output.models = [
                (model, self.why_no_file(model)) for model in models.get(output.identifier, ())
            ]
            output.performance = performances.get(output.identifier)
        return found

    def why_no_file(self, model: Model) -> str:
        """Say why the user cannot download a model; blank when it can. As the API decides."""
        if why_not := why_no_model(self.user, model.permissions, model.owner_id):
            return why_not
        return "" if model.file else "Deleted: it was transient, and no task needs it any more."

    def failure(self) -> dict[str, Any]:
        if not self.object.error_type:
            return {}
        report = report_of(self.object)
        if report is None:
            return {}
        permissions = who_may_read(report)
        return {
            "report": report,
            "may_read_logs": may_download(self.user, permissions),
            "logs_readers": permissions,
        }
