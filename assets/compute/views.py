"""Pages of compute plans."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from ..common.audit import note_refusals
from ..common.errors import Refused
from ..common.pages.base import Page
from ..common.pages.snippets import Snippets
from ..feed.pages import AssetPage, AssetPageMixin, RenamePage
from ..permissions.access import may_change
from ..permissions.pages import AssetListPage
from .filters import ComputePlanListFilterSet
from .forms import ComputePlanRenameForm
from .pages import DRAWN, INLINE, OfPlans, function_rows, lasted, plan_graph, rank_table, shares
from .queries import creator_of, functions_of, renewed, spec_of_plan
from .registration import cancel_compute_plan, check_cancel
from .rules import check_takes_tasks
from .snippets import SPELLED, plan_snippets
from .statuses import FINAL
from .tables import ComputePlanTable

# How many performances and functions a plan's page shows; the CSV and the list of tasks have all.
PREVIEW_ROWS = 100


class ComputePlanList(OfPlans, AssetListPage):
    table_class = ComputePlanTable
    filterset_class = ComputePlanListFilterSet
    empty_hint = "A compute plan is tasks that belong together, such as the rounds of a study."


class ComputePlanPage(OfPlans, AssetPage):
    """A compute plan, but for what its tasks have measured, which the room above adds."""

    template_name = "compute/compute_plan.html"

    def snippets(self) -> Snippets:
        # One task more than is spelled out tells that there are more.
        return plan_snippets(renewed(spec_of_plan(self.object, SPELLED + 1)), self.request)

    def performances(self) -> list[SafeString]:
        """Return the rows of what the plan's tasks have measured, one more than is shown."""
        return []

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        plan = self.object
        own, performances = may_change(self.user, plan), self.performances()
        functions = list(functions_of(plan.pk)[: PREVIEW_ROWS + 1])
        return super().get_context_data(
            shares=shares(plan.counts),
            lasted=lasted(plan.start_date, plan.end_date),
            creator=creator_of(plan, self.user.organization_id),
            may_add_tasks=own and not list(check_takes_tasks(plan.status, plan.pk)),
            may_cancel=not check_cancel(plan, self.user),
            by_rank=rank_table(plan.pk),
            functions=function_rows(functions[:PREVIEW_ROWS], plan.pk),
            shown=PREVIEW_ROWS,
            more_functions=len(functions) > PREVIEW_ROWS,
            performances=mark_safe("".join(performances[:PREVIEW_ROWS])),  # noqa: S308  rows are safe
            more_performances=len(performances) > PREVIEW_ROWS,
            graph=plan_graph(plan) if 0 < plan.task_count <= INLINE else None,
            drawn_later=INLINE < plan.task_count <= DRAWN,
            **kwargs,
        )


class ComputePlanGraph(OfPlans, AssetPageMixin, Page):
    """The graph of a plan: a page of its own, or the piece that htmx puts into the plan's page."""

    def get_title(self) -> str:
        return f"Graph of {self.object}"

    def get_template_names(self) -> list[str]:
        piece = getattr(self.request, "htmx", False)
        return ["compute/_graph.html" if piece else "compute/graph.html"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        drawn = self.object.task_count <= DRAWN
        return super().get_context_data(
            plan=self.object, graph=plan_graph(self.object) if drawn else None, **kwargs
        )


class ComputePlanRenamePage(OfPlans, RenamePage):
    form_class = ComputePlanRenameForm


class ComputePlanCancelPage(OfPlans, AssetPageMixin, Page):
    """Says what cancelling a plan does, and does it when that is confirmed."""

    template_name = "compute/cancel.html"

    def get_title(self) -> str:
        return f"Cancel {self.object}"

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
        return self.redirect_with_message(url, f"The compute plan {plan} is cancelled.")
