"""The contents of the home page: counts of assets, first steps, and what needs attention."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy as _

from ..accounts.models import Organization
from ..accounts.queries import counts_by_owner
from ..accounts.rules import may_manage_runners, may_manage_users
from ..common.text.moments import moment
from ..execution.queries.approvals import Policy, list_awaiting, restriction_of, review_page_of
from ..permissions.access import may_register
from . import queries

# Each concern shows a few items and links to the page that lists all.
PREVIEW_ROWS = 4


class Kind(NamedTuple):
    """A kind of asset: the URL names of its pages and the labels of their links."""

    list_url: str
    label: Any
    register_url: str
    register_label: Any
    icon: str


KINDS = (
    Kind("datasets", _("Datasets"), "dataset-new", _("Register dataset"), "circle-stack"),
    Kind(
        "data-samples", _("Data samples"), "data-sample-new", _("Add data samples"), "archive-box"
    ),
    Kind(
        "functions", _("Functions"), "function-new", _("Register function"), "code-bracket-square"
    ),
    Kind(
        "compute-plans", _("Compute plans"), "compute-plan-new", _("Register compute plan"), "share"
    ),
    Kind("tasks", _("Tasks"), "task-new", _("Register task"), "queue-list"),
)


class Counts(NamedTuple):
    """How many assets of each kind there are, and how many each organisation owns."""

    totals: list[tuple[Kind, int]]
    # Each organisation with its count of each kind.
    rows: list[tuple[Organization, list[tuple[Kind, int]]]]

    def are_of(self, organization_id: str | None) -> bool:
        """Return whether the organisation has registered anything."""
        return any(
            count for owner, row in self.rows if owner.pk == organization_id for _, count in row
        )


def counts_of(organizations: Iterable[Organization]) -> Counts:
    """Return the counts of all organisations; one query at most."""
    counts = counts_by_owner()
    return Counts(
        [(kind, sum(counts.get(kind.list_url, {}).values())) for kind in KINDS],
        [
            (owner, [(kind, counts.get(kind.list_url, {}).get(owner.pk, 0)) for kind in KINDS])
            for owner in organizations
        ],
    )


class Item(NamedTuple):
    """One thing that needs attention, and the link to act on it."""

    text: str
    url: str
    note: str = ""
    action: str = ""
    action_url: str = ""


class Concern(NamedTuple):
    """Items that need attention for the same reason, and what to do about them."""

    heading: str
    advice: str
    items: list[Item]
    # The list of all items; blank if all are shown.
    all_url: str


def concerns_of(user: Any) -> list[Concern]:
    """Return what needs the user's attention; one query for each concern."""
    now = timezone.now()
    found = [_tokens(user, now)]
    if own := user.organization_id:
        found = [_plans(own, now), _functions(own, now), _datasets(own, may_register(user)), *found]
        if may_manage_runners(user, own) and (policy := restriction_of(own)):
            found.insert(0, _approvals(own, policy))
        if may_manage_users(user, own):
            found.append(_users(own))
    return [concern for concern in found if concern.items]


def _concern(
    heading: str, advice: str, rows: Any, item: Callable[[Any], Item], all_url: str
) -> Concern:
    found = list(rows[: PREVIEW_ROWS + 1])
    more = len(found) > PREVIEW_ROWS
    return Concern(
        heading, advice, [item(row) for row in found[:PREVIEW_ROWS]], all_url if more else ""
    )


def _registered(asset: Any) -> SafeString:
    return format_html(gettext("registered {}"), moment(asset.creation_date))


def _plans(own: str, now: datetime) -> Concern:
    def item(plan: Any) -> Item:
        failed = plan.failed_task_key
        return Item(
            plan.name,
            reverse("compute-plan", args=[plan.pk]),
            _registered(plan),
            gettext("View failed task") if failed else "",
            reverse("task", args=[failed]) if failed else "",
        )

    return _concern(
        gettext("Failed compute plans"),
        gettext(
            "The page of the failed task shows the reason. Fix it, then register the plan again."
        ),
        queries.failed_plans(own, now),
        item,
        f"{reverse('compute-plans')}?owner={own}&status=PLAN_STATUS_FAILED",
    )


def _approvals(own: str, policy: Policy) -> Concern:
    return _concern(
        gettext("Awaiting your approval"),
        gettext("Your runners wait for your decision before they run this on your data."),
        list_awaiting(own, policy),
        lambda row: Item(
            row["asset_name"],
            reverse(review_page_of(policy), args=[row["asset"]]),
            row["asset_owner"],
            gettext("Review"),
            reverse(review_page_of(policy), args=[row["asset"]]),
        ),
        reverse("approvals"),
    )


def _functions(own: str, now: datetime) -> Concern:
    return _concern(
        gettext("Functions that could not be built"),
        gettext(
            "The function's page shows the log. Fix the archive, then register the function again."
        ),
        queries.failed_functions(own, now),
        lambda function: Item(
            function.name,
            reverse("function", args=[function.pk]),
            _registered(function),
            gettext("Register again"),
            f"{reverse('function-new')}?like={function.pk}",
        ),
        f"{reverse('functions')}?owner={own}&status=FUNCTION_STATUS_FAILED",
    )


def _datasets(own: str, may_add: bool) -> Concern:
    return _concern(
        gettext("Datasets without data samples"),
        gettext("Tasks run on data samples. Add some before you use these datasets."),
        queries.datasets_without_samples([own], PREVIEW_ROWS + 1),
        lambda dataset: Item(
            dataset.name,
            reverse("dataset", args=[dataset.pk]),
            _registered(dataset),
            gettext("Add data samples") if may_add else "",
            f"{reverse('data-sample-new')}?dataset={dataset.pk}",
        ),
        f"{reverse('datasets')}?owner={own}",
    )


def _tokens(user: Any, now: datetime) -> Concern:
    account = reverse("account")

    def item(token: Any) -> Item:
        when = gettext("expired {}") if token.expires_at <= now else gettext("expires {}")
        return Item(str(token), account, format_html(when, moment(token.expires_at)))

    return _concern(
        gettext("API tokens that expire soon"),
        gettext(
            "Create a new token, replace the old one where you use it, then revoke the old one."
        ),
        queries.tokens_to_renew(user, now),
        item,
        account,
    )


def _users(own: str) -> Concern:
    return _concern(
        gettext("Users who cannot sign in yet"),
        gettext("They have no password and no token. Send each a link to set a password."),
        queries.users_who_cannot_sign_in(own),
        lambda user: Item(
            user.username,
            reverse("user", args=[user.pk]),
            user.role_name,
            gettext("Create link"),
            reverse("user-reset", args=[user.pk]),
        ),
        f"{reverse('users')}?organization={own}",
    )


class Step(NamedTuple):
    """One of the first things to do."""

    text: Any
    why: Any
    url_name: str


REGISTERING: Sequence[Step] = (
    Step(
        _("Register a dataset"),
        _("an opener that reads your data, and a description; no data are uploaded"),
        "dataset-new",
    ),
    Step(_("Add data samples to it"), _("folders or archives, several at once"), "data-sample-new"),
    Step(
        _("Register a function"),
        _("code with a Dockerfile, and its inputs and outputs"),
        "function-new",
    ),
    Step(
        _("Register a compute plan"),
        _("tasks that run functions on your data samples and on those you may use"),
        "compute-plan-new",
    ),
)
FOUNDING: Sequence[Step] = (
    Step(_("Create an organisation"), _("every asset belongs to one"), "organization-new"),
    Step(_("Invite its first admin"), _("admins invite the other users"), "user-new"),
)


def first_steps(user: Any, counts: Counts) -> Sequence[Step]:
    """Return the first steps of a user whose organisation has not registered anything."""
    if not user.organization_id:
        return () if any(total for _, total in counts.totals) else FOUNDING
    if may_register(user) and not counts.are_of(user.organization_id):
        return REGISTERING
    return ()
