"""Organisations, users, tokens and locks, as pages and other rooms read them."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.core.cache import cache
from django.db.models import Aggregate, CharField, Max, Model, Q, QuerySet, Value
from django.utils import timezone

from ..common.db.aggregates import counts_by
from ..common.db.compiled import Compiled, Instances
from ..common.db.lookups import OrderKey
from ..common.text.names import MAX_NAME_LENGTH, caseless
from .models import (
    ApiToken,
    ExternalIdentity,
    FailedSignIn,
    Organization,
    Role,
    Runner,
    User,
    alike,
)
from .rules import attempted_name, manages_all, may_manage_users

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class OwnedRows(NamedTuple):
    """Rows that organisations own, the expression that counts them, and their name."""

    model: type[Model]
    total: Aggregate
    label: "StrOrPromise"


# By the name of the list that shows them. `AssetsConfig.ready` registers those of higher rooms.
OWNED: dict[str, OwnedRows] = {}

# Counts of more assets are slow: they are cached for this many seconds.
MANY, SECONDS = 5_000, 10


_COUNTS = "counts-by-owner"


@Instances
def all_organizations(_values: Collection[Any]) -> QuerySet[Organization]:
    """Return all organisations, by their ids: as many as the consortium has members."""
    return Organization.objects.all()


def organization_ids() -> set[str]:
    """Return the ids of all organisations: one query, as many ids as the consortium has members."""
    return {id for (id,) in _organization_ids()}


@Compiled
def _organization_ids(_values: Collection[Any]) -> QuerySet:
    return Organization.objects.order_by().values_list("id")


def organization_ids_to_check(named: Iterable[str], own: str) -> set[str]:
    """Return ids of organisations: `own` if `named` has no other, for which no query is needed."""
    return {own} if {own}.issuperset(named) else organization_ids()


def runners_seen() -> dict[str, datetime | None]:
    """Return when a runner of each organisation was last seen; one query.

    None: no runner of the organisation has come yet. One without a runner is missing.
    """
    return dict(_runners_seen())


@Compiled
def _runners_seen(_values: Collection[Any]) -> QuerySet:
    runners = Runner.objects.filter(revoked_at=None).order_by("organization_id")
    seen = runners.values("organization_id").annotate(seen=Max("last_seen"))
    return seen.values_list("organization_id", "seen")


def managed_users(actor: User) -> QuerySet[User]:
    """Return the users that the actor sees: those that it manages, and itself."""
    users = User.objects.all()
    if manages_all(actor):
        return users
    if may_manage_users(actor, actor.organization_id):
        return users.filter(organization_id=actor.organization_id)
    return users.filter(pk=actor.pk)


def find_user(name: str) -> User | None:
    """Return the user with this name in any case, or None.

    Several users registered by an earlier version may share a name but for its case: then only
    the exact spelling finds one.
    """
    # PostgreSQL rejects texts with NUL.
    if "\0" in name or len(name) > MAX_NAME_LENGTH:
        return None
    wanted = caseless(name)
    users = User.objects.filter(Q(username=name) | alike(name, "name_key"))
    found = [user for user in users if caseless(user.username) == wanted]
    meant = [user for user in found if user.username == name] or found
    return meant[0] if len(meant) == 1 else None


def locked(user: User) -> User:
    """Return the user's row, locked until the transaction ends.

    Requests of one user wait here for each other. Rows that refer to the user can still be added.
    """
    return User.objects.select_for_update(no_key=True).get(pk=user.pk)


def admins_of(organization_id: str | None) -> QuerySet[User]:
    """Return the active admins of an organisation, in order of their names."""
    users = User.objects.filter(role=Role.ADMIN, is_active=True, organization__isnull=False)
    return users.filter(organization_id=organization_id).order_by(OrderKey("username"))


@Instances
def _tokens(digests: Collection[str]) -> QuerySet[ApiToken]:
    return ApiToken.objects.filter(digest__only=digests).select_related("user").order_by()


def token_of(digest: str) -> ApiToken | None:
    """Return the token with this digest, with its user, or None; one query."""
    return next(iter(_tokens([digest])), None)


@Instances
def _runners(digests: Collection[str]) -> QuerySet[Runner]:
    return Runner.objects.filter(digest__only=digests, revoked_at=None).order_by()


def runner_of(digest: str) -> Runner | None:
    """Return the runner whose token has this digest, or None if it is revoked; one query."""
    return next(iter(_runners([digest])), None)


@Instances
def _users(ids: Collection[int]) -> QuerySet[User]:
    return User.objects.filter(pk__only=ids)


def user_with_id(id: int) -> User | None:
    """Return the user with this primary key, or None; one query."""
    return next(iter(_users([id])), None)


def tokens_of(user: User) -> QuerySet[ApiToken]:
    return ApiToken.objects.filter(user=user)


def user_counts_of(ids: Collection[str]) -> dict[str, int]:
    """Return how many users each organisation has; one query."""
    return counts_by(User, "organization_id", ids)


def counts_by_owner() -> Mapping[str, Mapping[str, int]]:
    """Return, by the names of OWNED, how many each organisation owns; one query at most.

    Of many assets the numbers may be some seconds old.
    """
    if (cached := cache.get(_COUNTS)) is not None:
        return cached
    parts = []
    for name, (model, total, _label) in OWNED.items():
        by_owner = model._default_manager.order_by().values("owner_id")
        named = by_owner.annotate(kind=Value(name, CharField()), count=total)
        parts.append(named.values_list("kind", "owner_id", "count"))
    counts: dict[str, dict[str, int]] = {name: {} for name in OWNED}
    for name, owner, number in parts[0].union(*parts[1:], all=True):
        counts[name][owner] = number
    if sum(sum(counts[name].values()) for name in OWNED if name != "tasks") > MANY:
        cache.set(_COUNTS, counts, SECONDS)
    return counts


def owned_counts_of(name: str, ids: Collection[str]) -> Mapping[str, int]:
    """Return how many `name`, as in OWNED, organisations own, these and others."""
    return counts_by_owner()[name]


def locks_of(user: User) -> QuerySet[FailedSignIn]:
    """Return the addresses' locks that keep this user from signing in."""
    return FailedSignIn.objects.filter(
        username=attempted_name(user.username),
        failures__gte=settings.LOGIN_FAILURES_PER_USER,
        last_at__gt=timezone.now() - settings.LOGIN_COOLOFF,
    )


def awaiting_approval(actor: User) -> QuerySet[ExternalIdentity]:
    """Return the people who await approval by the actor: of its organisation, and of none yet."""
    people = ExternalIdentity.objects.filter(user=None)
    if manages_all(actor):
        return people
    if may_manage_users(actor, actor.organization_id):
        return people.filter(Q(organization=None) | Q(organization_id=actor.organization_id))
    return people.none()
