"""Pages of what waits for an organisation's approval: its admins decide, everyone there reads."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy as _, ngettext

from ...accounts.pages.base import ObjectPageMixin
from ...accounts.rules import acts_for_one, may_manage_runners
from ...common.audit import note_refusals
from ...common.errors import Problem, Refused
from ...common.pages.base import Crumb, Page, crumb
from ...compute.models import Task
from ...compute.pages.base import PlanPageMixin
from ...feed.pages.assets import AssetPageMixin
from ...functions.pages import FunctionPageMixin
from ...permissions.access import may_download
from ...permissions.pages import FormPage
from ..forms import DeclineForm
from ..queries.approvals import (
    Policy,
    approvals_of,
    list_awaiting,
    policy_of,
    restriction_of,
    review_page_of,
    standing_of,
    tasks_on_data_of,
)
from ..queries.reviews import review_of
from ..registration.approvals import approve_function, approve_plan, check_may_decide

# How much the list shows of what waits, and of what was decided.
PREVIEW_ROWS, DECIDED_ROWS = 200, 50
# How many rows each table of a review has.
MAX_ROWS = 100


class ApprovalsMixin(ObjectPageMixin):
    """Mixin of the pages of approvals, for users of an organisation."""

    def load_object(self) -> None:
        if not acts_for_one(self.user):
            raise PermissionDenied(
                gettext("Organisations approve what runs on their data. You belong to none.")
            )
        super().load_object()

    @property
    def own(self) -> str:
        """The organisation that decides."""
        return self.user.organization_id

    @property
    def may_decide(self) -> bool:
        return may_manage_runners(self.user, self.own)


class ApprovalsPage(ApprovalsMixin, Page):
    """Lists what waits for the approval of the user's organisation, and what it decided."""

    template_name = "execution/approvals.html"
    title = _("Approvals")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        policy = restriction_of(self.own)
        rows = list(list_awaiting(self.own, policy)[: PREVIEW_ROWS + 1]) if policy else []
        return super().get_context_data(
            policy=policy,
            rows=rows[:PREVIEW_ROWS],
            more=len(rows) > PREVIEW_ROWS,
            shown=PREVIEW_ROWS,
            review_url=review_page_of(policy) if policy else "",
            decided=approvals_of(self.own)[:DECIDED_ROWS],
            may_decide=self.may_decide,
            **kwargs,
        )


class DecisionMixin(ApprovalsMixin, AssetPageMixin):
    """Mixin of the pages about one decision: on a plan, or on a function's code."""

    # The policy that asks for the decision.
    asked_by: ClassVar[Policy]
    review_url: ClassVar[str]
    decline_url: ClassVar[str]

    def crumbs(self) -> Sequence[Crumb]:
        return [crumb(gettext("Approvals"), "approvals")]

    def tasks(self) -> QuerySet[Task]:
        """Return the tasks on the organisation's data that the decision is about."""
        raise NotImplementedError

    def decision(self) -> Any:
        """Return the decision that stands, or None."""
        raise NotImplementedError


class PlanDecisionMixin(PlanPageMixin, DecisionMixin):
    asked_by = Policy.PLANS
    review_url, decline_url = "compute-plan-approval", "compute-plan-decline"

    def tasks(self) -> QuerySet[Task]:
        return Task.objects.filter(compute_plan=self.object, worker=self.own)

    def decision(self) -> Any:
        return approvals_of(self.own).filter(compute_plan=self.object).first()


class FunctionDecisionMixin(FunctionPageMixin, DecisionMixin):
    asked_by = Policy.FUNCTIONS
    review_url, decline_url = "function-approval", "function-decline"

    def tasks(self) -> QuerySet[Task]:
        code = self.object.archive_checksum
        return Task.objects.filter(function__archive_checksum=code, worker=self.own)

    def decision(self) -> Any:
        code = self.object.archive_checksum
        return approvals_of(self.own).filter(compute_plan=None, digest=code).first()


class ReviewPage(DecisionMixin, Page):
    """Shows what would be done to the organisation's data, and approves it by POST."""

    template_name = "execution/review.html"

    def get_title(self) -> str:
        return gettext("Review %(name)s") % {"name": self.object}

    def digest(self) -> str:
        """Return the digest of what is shown, so that nothing else is approved."""
        raise NotImplementedError

    def approve(self, digest: str) -> None:
        """Approve what was shown.

        Raises:
            Refused: the user may not, or something else was shown.
        """
        raise NotImplementedError

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        # Read first: what is added meanwhile is shown, and refused as not seen.
        digest = self.digest()
        policy = policy_of(self.own)
        standing = standing_of(self.tasks(), self.own, self.asked_by)
        review = review_of(self.tasks(), self.own)
        decision, is_asked = self.decision(), policy == self.asked_by
        may_decide = self.may_decide and is_asked
        return super().get_context_data(
            asset=self.object,
            digest=digest,
            policy=policy,
            is_asked=is_asked,
            standing=standing,
            decision=decision,
            review=review,
            functions=[
                (use, may_download(self.user, use.function.permissions))
                for use in review.functions[:MAX_ROWS]
            ],
            datasets=review.datasets[:MAX_ROWS],
            outputs=review.outputs[:MAX_ROWS],
            more_rows=any(
                len(rows) > MAX_ROWS for rows in (review.functions, review.datasets, review.outputs)
            ),
            may_approve=may_decide and standing.awaiting,
            may_decline=may_decide and (standing.undecided or self.can_be_withdrawn(decision)),
            **kwargs,
        )

    def can_be_withdrawn(self, decision: Any) -> bool:
        """Return whether declining changes anything if no task waits."""
        return False

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            self.approve(request.POST.get("digest", ""))
        except Refused as refused:
            note_refusals(refused.problems)
            context = self.get_context_data(problems=refused.problems)
            return self.render_to_response(context, status=422)
        message = gettext("Approved %(name)s.") % {"name": self.object}
        return self.redirect_with_message(reverse("approvals"), message)


class PlanReviewPage(PlanDecisionMixin, ReviewPage):
    def digest(self) -> str:
        return tasks_on_data_of(self.own, self.object.pk).digest

    def approve(self, digest: str) -> None:
        approve_plan(self.object.pk, digest, self.user)


class FunctionReviewPage(FunctionDecisionMixin, ReviewPage):
    def digest(self) -> str:
        checksum: str = self.object.archive_checksum
        return checksum

    def approve(self, digest: str) -> None:
        approve_function(self.object, self.user)

    def can_be_withdrawn(self, decision: Any) -> bool:
        return decision is not None and decision.approved


class DeclinePage(DecisionMixin, FormPage):
    """Declines a plan or a function with a reason."""

    title = _("Decline %(name)s")
    button = _("Decline")
    form_class = DeclineForm
    unsaved = _("Nothing was declined.")

    def crumbs(self) -> Sequence[Crumb]:
        review = gettext("Review %(name)s") % {"name": self.object}
        return [*super().crumbs(), crumb(review, self.review_url, self.object.pk)]

    def asset(self) -> Any:
        return self.object

    def why_not(self) -> Iterable[Problem]:
        return check_may_decide(self.user, self.asked_by)

    @property
    def note(self) -> str:
        standing = standing_of(self.tasks(), self.own, self.asked_by)
        effect = ngettext(
            "%(count)s task on your data that does not run yet is cancelled.",
            "%(count)s tasks on your data that do not run yet are cancelled.",
            standing.undecided,
        ) % {"count": f"{standing.undecided:,}"}
        return f"{effect} {self.consequence}"

    # What else declining does.
    consequence: Any = ""

    def success(self, result: Any) -> tuple[str, str]:
        return gettext("Declined %(name)s.") % {"name": result}, reverse("approvals")


class PlanDeclinePage(PlanDecisionMixin, DeclinePage):
    consequence = _("The plan is then cancelled: no tasks can be added to it.")


class FunctionDeclinePage(FunctionDecisionMixin, DeclinePage):
    consequence = _("Their plans are then cancelled. Tasks that are added later wait for approval.")
