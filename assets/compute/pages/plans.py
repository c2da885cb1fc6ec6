"""Pages of compute plans."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy as _

from ...accounts.pages.waiting import Line, WorkMixin
from ...common.audit import note_refusals
from ...common.errors import Refused
from ...common.pages.base import Page
from ...common.pages.live import LiveMixin, state_of
from ...common.pages.snippets import Snippets
from ...feed.pages.assets import AssetPage, AssetPageMixin, RenamePage
from ...permissions.access import may_change
from ...permissions.pages import AssetListPage
from ..models import ComputePlan
from ..queries.copies import renewed, spec_of_plan
from ..queries.lists import creator_of
from ..queries.outputs import plan_performances
from ..queries.relations import functions_of
from ..registration import cancel_compute_plan, check_accepts_tasks, check_cancel
from ..snippets import MAX_SAMPLES, MAX_TASKS, plan_snippets
from ..statuses import FINAL, has_ended
from .base import PlanPageMixin, duration_text, remaining_text, shares
from .charts import MAX_POINTS, charts_of
from .filters import ComputePlanListFilterSet
from .plan_graph import MAX_DRAWN_TASKS, MAX_INLINE_TASKS, plan_graph
from .plan_tables import function_rows, performance_rows, rank_table
from .tables import ComputePlanTable
from .waiting import plan_lines, progress_text

# How many performances and functions a plan's page shows; the CSV and the list of tasks have all.
PREVIEW_ROWS = 100


class ComputePlanList(PlanPageMixin, AssetListPage):
    table_class = ComputePlanTable
    filterset_class = ComputePlanListFilterSet
    empty_hint = _("A compute plan groups tasks, such as the rounds of a study.")


def progress_of_plan(plan: ComputePlan) -> tuple[object, ...] | None:
    """Return what pages show of a plan's progress; None once it has ended."""
    if has_ended(plan.status, plan.counts):
        return None
    return plan.name, plan.status, plan.counts, plan.end_date


class ComputePlanPage(PlanPageMixin, WorkMixin, AssetPage):
    """A compute plan, with its progress and what its tasks have measured."""

    template_name = "compute/compute_plan.html"

    def work(self) -> object:
        return progress_of_plan(self.object)

    def lines(self) -> Iterable[Line]:
        return plan_lines(self.object)

    def progress(self) -> str:
        return progress_text(self.object, remaining_text(self.object))

    def snippets(self) -> Snippets:
        # One more than is shown: the note then mentions the others.
        spec = spec_of_plan(self.object, MAX_TASKS + 1, MAX_SAMPLES + 1)
        return plan_snippets(renewed(spec), self.request)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        plan = self.object
        own = may_change(self.user, plan)
        performances = plan_performances(plan.pk, MAX_POINTS + 1)
        by_rank = rank_table(plan.pk)
        functions = functions_of([plan.pk], PREVIEW_ROWS + 1)
        return super().get_context_data(
            shares=shares(plan.counts),
            duration=duration_text(plan.start_date, plan.end_date),
            creator=creator_of(plan, self.user.organization_id),
            may_add_tasks=own and not list(check_accepts_tasks(plan.status, plan.pk)),
            may_cancel=not check_cancel(plan, self.user),
            by_rank=by_rank,
            functions=function_rows(functions[:PREVIEW_ROWS], plan.pk),
            shown=PREVIEW_ROWS,
            more_functions=len(functions) > PREVIEW_ROWS,
            performances=performance_rows(performances[:PREVIEW_ROWS]),
            more_performances=len(performances) > PREVIEW_ROWS,
            charts=charts_of(performances, by_rank.workers, self.request.GET)
            if performances
            else None,
            graph=plan_graph(plan) if 0 < plan.task_count <= MAX_INLINE_TASKS else None,
            drawn_later=MAX_INLINE_TASKS < plan.task_count <= MAX_DRAWN_TASKS,
            **kwargs,
        )


class ComputePlanGraph(PlanPageMixin, LiveMixin, AssetPageMixin, Page):
    """The graph of a plan: its own page, or the fragment that htmx puts into the plan's page."""

    def find_state(self) -> str:
        progress = progress_of_plan(self.object)
        return state_of(progress) if progress else ""

    def get_title(self) -> str:
        return gettext("Graph of %(plan)s") % {"plan": self.object}

    def get_template_names(self) -> list[str]:
        is_fragment = getattr(self.request, "htmx", False) and not self.is_followed
        return ["compute/_graph_later.html" if is_fragment else "compute/graph.html"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        drawn = self.object.task_count <= MAX_DRAWN_TASKS
        return super().get_context_data(
            plan=self.object,
            graph=plan_graph(self.object) if drawn else None,
            is_loaded=True,
            **kwargs,
        )


class ComputePlanRenamePage(PlanPageMixin, RenamePage):
    pass


class ComputePlanCancelPage(PlanPageMixin, AssetPageMixin, Page):
    """Explains what cancelling a plan does, and cancels it by POST."""

    template_name = "compute/cancel.html"

    def get_title(self) -> str:
        return gettext("Cancel %(plan)s") % {"plan": self.object}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        plan = self.object
        kwargs.setdefault("problems", check_cancel(plan, self.user))
        ended = sum(plan.counts[status] for status in FINAL)
        return super().get_context_data(
            plan=plan, ended=ended, open_tasks=plan.task_count - ended, **kwargs
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            plan = cancel_compute_plan(self.object.pk, self.user)
        except Refused as refused:
            note_refusals(refused.problems)
            context = self.get_context_data(problems=refused.problems)
            return self.render_to_response(context, status=422)
        url = reverse("compute-plan", args=[plan.pk])
        message = gettext("Cancelled the compute plan %(plan)s.") % {"plan": plan}
        return self.redirect_with_message(url, message)
