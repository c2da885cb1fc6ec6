"""Pages of functions, compute plans and tasks, with what their work has made, or why it failed."""

from html import escape
from typing import Any

from django.utils.safestring import SafeString, mark_safe

from ..accounts.models import User
from ..common.pages.base import url_of
from ..common.pages.markup import short
from ..compute import task_views, views
from ..compute.task_views import Output
from ..compute.views import PREVIEW_ROWS
from ..functions import views as functions
from ..functions.models import FunctionStatus
from ..permissions.access import may_download, why_no_model
from .models import FailureReport, Model
from .queries import (
    PlanPerformance,
    models_of,
    performances_of,
    plan_performances,
    report_about,
    report_of,
    who_may_read,
)


class ComputePlanPage(views.ComputePlanPage):
    """A compute plan, with what its tasks have measured."""

    def performances(self) -> list[SafeString]:
        return [_row(found) for found in plan_performances(self.object.pk, PREVIEW_ROWS + 1)]


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
        task = self.object
        report = report_of(task) if task.error_type else None
        return failure_of(report, self.user, f"{task.worker_id}, where the task ran,")


class FunctionPage(functions.FunctionPage):
    """A function, with why it could not be built."""

    def failure(self) -> dict[str, Any]:
        function = self.object
        if function.status != FunctionStatus.FAILED:
            return {}
        report = report_about(function_id=function.pk)
        return {"failure": True, **failure_of(report, self.user, str(function.owner_id))}


def failure_of(report: FailureReport | None, user: User, log_keeper: str) -> dict[str, Any]:
    """Return what pages show of a failure's report, and whether the user may read its logs."""
    if report is None:
        return {}
    permissions = who_may_read(report)
    return {
        "report": report,
        "may_read_logs": may_download(user, permissions),
        "logs_readers": permissions,
        "log_keeper": log_keeper,
    }
