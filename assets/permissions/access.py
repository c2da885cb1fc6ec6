"""May this user do that? Every door asks here and nowhere else.

Roles decide what a user may do for its own organisation; permissions decide what an organisation
may do with an asset. Source: contract 3.2 and 3.8, decision 7.
"""

from collections.abc import Iterator
from typing import Any

from django.conf import settings

from ..accounts.models import Role, User
from ..accounts.rules import acts_for, acts_for_one, is_admin, manages_all
from ..common.db.models import Asset
from ..common.errors import Code, Problem
from .models import Permissions


def may_register(user: User) -> bool:
    """Admins and members register assets for their organisation; viewers read."""
    return acts_for_one(user) and user.role in (Role.ADMIN, Role.MEMBER)


def may_change(user: User, asset: Asset) -> bool:
    """What may change of an asset is changed by its owner's admins and members."""
    return may_register(user) and acts_for(user, asset.owner_id)


def may_download(user: User, permissions: Permissions) -> bool:
    """Files go to organisations that the asset's permissions allow, whatever the user's role."""
    return acts_for_one(user) and permissions.allows(user.organization_id)


def model_export_is_enabled() -> bool:
    """Models leave a server only where its settings say so, whatever their permissions."""
    return bool(settings.MODEL_EXPORT_ENABLED)


def may_download_model(user: User, permissions: Permissions) -> bool:
    """Models need both: the server's setting, and permission."""
    return model_export_is_enabled() and may_download(user, permissions)


def may_see_content(user: User, asset: Asset) -> bool:
    """What a data sample holds, and where it lies, is told to its owner's users only."""
    return acts_for_one(user) and acts_for(user, asset.owner_id)


def may_audit(user: User) -> bool:
    """Who signed in, downloaded or was refused is read by admins; by superusers, of everybody."""
    return manages_all(user) or is_admin(user)


def may_audit_asset(user: User, asset: Asset) -> bool:
    """Who downloaded an asset is read by its owner's admins, and by superusers."""
    return manages_all(user) or (is_admin(user) and acts_for(user, asset.owner_id))


def why_not_download(user: Any, permissions: Permissions, owner_id: str) -> str:
    """Say why the user may not have an asset's files; blank when it may."""
    if may_download(user, permissions):
        return ""
    if not user.organization_id:
        return "You act for no organisation; files are for organisations that are permitted."
    named = ", ".join(permissions.authorized_ids)
    return (
        f"Permitted to {named} only; you act for {user.organization_id}. "
        f"Ask {owner_id} to register it with permission for you."
    )


def why_no_model(user: Any, permissions: Permissions, owner_id: str) -> str:
    """Say why the user may not have a model; blank when it may."""
    if not model_export_is_enabled():
        return "This server hands out no models."
    return why_not_download(user, permissions, owner_id)


def check_may_register(user: User) -> Iterator[Problem]:
    """The user may register for its organisation."""
    if not user.organization_id:
        yield Problem(
            Code.FORBIDDEN,
            "your account belongs to no organisation; ask an administrator to give it one.",
        )
    elif not may_register(user):
        yield Problem(
            Code.FORBIDDEN,
            "your role is viewer, which registers and changes nothing; "
            f"ask an administrator of {user.organization_id} for the role member.",
        )


def check_may_change(user: User, asset: Asset, what: str) -> Iterator[Problem]:
    """The user may do `what` (such as "rename this dataset") to the asset."""
    yield from check_may_register(user)
    if may_register(user) and not may_change(user, asset):
        yield Problem(
            Code.FORBIDDEN,
            f"only its owner {asset.owner_id} may {what}; you act for {user.organization_id}.",
            key=str(asset.key),
        )
