"""Who may do what with an asset; pages, admin and API all ask here.

Roles decide what a user may do for its own organisation. Permissions decide what an organisation
may do with an asset. Source: contract 3.2 and 3.8, decision 7.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.translation import gettext as _

from ..accounts.models import Role, User
from ..accounts.rules import acts_for, acts_for_one, is_admin, manages_all
from ..common.audit import Agent
from ..common.db.models import Asset
from ..common.errors import Code, Problem
from .models import Permissions

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


def may_register(user: User) -> bool:
    """Return whether the user may register assets: admins and members of organisations may."""
    return acts_for_one(user) and user.role in (Role.ADMIN, Role.MEMBER)


def may_change(user: User, asset: Asset) -> bool:
    """Return whether the user may change the asset: its owner's admins and members may."""
    return may_register(user) and acts_for(user, asset.owner_id)


def may_report(actor: User | Agent, organization_id: str) -> bool:
    """Return whether the actor may report an organisation's work: its runners and those who
    register for it may.
    """
    return acts_for(actor, organization_id) and (isinstance(actor, Agent) or may_register(actor))


def may_download(user: User, permissions: Permissions) -> bool:
    """Return whether the permissions allow the user's organisation; the role does not matter."""
    return acts_for_one(user) and permissions.allows(user.organization_id)


def model_export_is_enabled() -> bool:
    """Return whether the settings allow downloads of models, whatever their permissions."""
    return bool(settings.MODEL_EXPORT_ENABLED)


def may_download_model(user: User, permissions: Permissions) -> bool:
    """Return whether the settings and the permissions allow the user to download a model."""
    return model_export_is_enabled() and may_download(user, permissions)


def may_see_content(user: User, asset: Asset) -> bool:
    """Return whether the user may see a data sample's contents and path: its owner's users may."""
    return acts_for_one(user) and acts_for(user, asset.owner_id)


def may_audit(user: User) -> bool:
    """Return whether the user may read an audit trail: admins their own, superusers all."""
    return manages_all(user) or is_admin(user)


def may_audit_asset(user: User, asset: Asset) -> bool:
    """Return whether the user may see who downloaded the asset: its owner's admins may."""
    return manages_all(user) or (is_admin(user) and acts_for(user, asset.owner_id))


def why_not_download(user: Any, permissions: Permissions, owner_id: str) -> str:
    """Return why the user may not download the asset's files, or an empty string."""
    if may_download(user, permissions):
        return ""
    if not user.organization_id:
        return _("Only permitted organisations can download files, and you belong to none.")
    message = _(
        "Only %(permitted)s can download this, and you act for %(own)s. Ask %(owner)s to register "
        "it with permission for you."
    )
    names = ", ".join(permissions.authorized_ids)
    return message % {"permitted": names, "own": user.organization_id, "owner": owner_id}


def why_no_model(user: Any, permissions: Permissions, owner_id: str) -> str:
    """Return why the user may not download a model, or an empty string."""
    if not model_export_is_enabled():
        return _("This server does not allow downloads of models.")
    return why_not_download(user, permissions, owner_id)


def check_may_register(user: User) -> Iterator[Problem]:
    """Yield a problem if the user may not register assets."""
    if not user.organization_id:
        message = _("your account belongs to no organisation. Ask an admin for a user of one.")
        yield Problem(Code.FORBIDDEN, message)
    elif not may_register(user):
        message = _(
            "your role is viewer, which cannot register or change anything. Ask an admin of "
            "%(organization)s for the role member."
        )
        yield Problem(Code.FORBIDDEN, message % {"organization": user.organization_id})


def check_may_change(user: User, asset: Asset, refusal: "StrOrPromise") -> Iterator[Problem]:
    """Yield problems if the user may not change the asset.

    Args:
        refusal: the sentence for users of other organisations than its owner, with the
            placeholders `owner` and `own`; whole, so that it can be translated.
    """
    yield from check_may_register(user)
    if may_register(user) and not may_change(user, asset):
        values = {"owner": asset.owner_id, "own": user.organization_id}
        yield Problem(Code.FORBIDDEN, str(refusal) % values, key=str(asset.key))
