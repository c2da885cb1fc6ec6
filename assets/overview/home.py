"""What home says: the assets of each organisation, first steps, and what needs attention."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ..accounts.models import Organization
from ..accounts.queries import counts_by_owner
from ..accounts.rules import may_manage_users
from ..common.text.moments import moment
from ..permissions.access import may_register
from . import queries

# Of each matter home shows a few; the page behind it has all.
PREVIEW_ROWS = 4


class Kind(NamedTuple):
    """A kind of asset: the names of its pages, and what it is called."""

    list_url: str
    label: str
    register_url: str
    register: str
    icon: str


KINDS = (
    Kind("datasets", "Datasets", "dataset-new", "Register a dataset", "circle-stack"),
    Kind("data-samples", "Data samples", "data-sample-new", "Add data samples", "archive-box"),
    Kind("functions", "Functions", "function-new", "Register a function", "code-bracket-square"),
    Kind("compute-plans", "Compute plans", "compute-plan-new", "Register a plan", "share"),
    Kind("tasks", "Tasks", "task-new", "Register a task", "queue-list"),
)


class Counts(NamedTuple):
    """How many assets there are of each kind, and who owns them."""

    totals: list[tuple[Kind, int]]
    # An organisation and its count of each kind.
    rows: list[tuple[Organization, list[tuple[Kind, int]]]]

    def are_of(self, organization_id: str | None) -> bool:
        """Has the organisation registered anything?"""
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
    """One thing that needs attention, and where something is done about it."""

    text: str
    url: str
    note: str = ""
    action: str = ""
    action_url: str = ""


class Concern(NamedTuple):
    """Things of one sort that need attention, and what to do about them."""

    heading: str
    advice: str
    items: list[Item]
    # Where all of them are, when there are more.
    all_url: str


def concerns_of(user: Any) -> list[Concern]:
    """Return what needs the user's attention; a query a sort."""
    now = timezone.now()
    found = [_tokens(user, now)]
    if own := user.organization_id:
        found = [
            _plans(own, now),
            _functions(own, now),
            _datasets(own, may_register(user)),
            *found,
        ]
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
    return format_html("registered {}", moment(asset.creation_date))


def _plans(own: str, now: datetime) -> Concern:
    def item(plan: Any) -> Item:
        failed = plan.failed_task_key
        return Item(
            plan.name,
            reverse("compute-plan", args=[plan.pk]),
            _registered(plan),
            "Failed task" if failed else "",
            reverse("task", args=[failed]) if failed else "",
        )

    return _concern(
        "Compute plans that failed",
        "The failed task says why. Correct it, then register the plan again.",
        queries.failed_plans(own, now),
        item,
        f"{reverse('compute-plans')}?owner={own}&status=PLAN_STATUS_FAILED",
    )


def _functions(own: str, now: datetime) -> Concern:
    return _concern(
        "Functions that could not be built",
        "The function's page has the log. Correct the archive, then register the function again.",
        queries.failed_functions(own, now),
        lambda function: Item(
            function.name,
            reverse("function", args=[function.pk]),
            _registered(function),
            "Register again",
            f"{reverse('function-new')}?like={function.pk}",
        ),
        f"{reverse('functions')}?owner={own}&status=FUNCTION_STATUS_FAILED",
    )


def _datasets(own: str, may_add: bool) -> Concern:
    return _concern(
        "Datasets without data samples",
        "A task works on samples of a dataset, so these cannot be used yet.",
        queries.datasets_without_samples(own),
        lambda dataset: Item(
            dataset.name,
            reverse("dataset", args=[dataset.pk]),
            _registered(dataset),
            "Add data samples" if may_add else "",
            f"{reverse('data-sample-new')}?dataset={dataset.pk}",
        ),
        f"{reverse('datasets')}?owner={own}",
    )


def _tokens(user: Any, now: datetime) -> Concern:
    account = reverse("account")

    def item(token: Any) -> Item:
        when = "expired" if token.expires_at <= now else "expires"
        return Item(str(token), account, format_html("{} {}", when, moment(token.expires_at)))

    return _concern(
        "API tokens that expire",
        "Create a new one, put it where the old one is used, then revoke the old one.",
        queries.tokens_to_renew(user, now),
        item,
        account,
    )


def _users(own: str) -> Concern:
    return _concern(
        "Users who cannot sign in yet",
        "They have no password and no token. Send them a link that sets a password.",
        queries.users_without_way_in(own),
        lambda user: Item(
            user.username,
            reverse("user", args=[user.pk]),
            user.role,
            "Make a link",
            reverse("user-reset", args=[user.pk]),
        ),
        f"{reverse('users')}?organization={own}",
    )


class Step(NamedTuple):
    """One of the first things to do."""

    text: str
    why: str
    url_name: str


REGISTERING: Sequence[Step] = (
    Step(
        "Register a dataset",
        "an opener, which reads your data, and a description; the data stay where they are",
        "dataset-new",
    ),
    Step("Add data samples to it", "folders or archives, several at once", "data-sample-new"),
    Step(
        "Register a function",
        "code with a Dockerfile, and what it takes and makes",
        "function-new",
    ),
    Step(
        "Register a compute plan",
        "tasks that run functions on samples, yours and those that others permit you",
        "compute-plan-new",
    ),
)
FOUNDING: Sequence[Step] = (
    Step("Create an organisation", "each asset is owned by one", "organization-new"),
    Step("Invite its first admin", "who invites the others", "user-new"),
)


def first_steps(user: Any, counts: Counts) -> Sequence[Step]:
    """Return what to do first, for those who have not begun."""
    if not user.organization_id:
        return () if any(total for _, total in counts.totals) else FOUNDING
    if may_register(user) and not counts.are_of(user.organization_id):
        return REGISTERING
    return ()
