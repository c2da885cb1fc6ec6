"""Who may do what, written a second time: contract 3.2 and 3.8, decisions 1 and 7.

Nothing here is imported from what it judges, and nothing in `assets` knows it.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Who:
    """Somebody who asks; `token` says whether its token is still valid."""

    name: str
    organization: str | None
    role: str
    superuser: bool = False
    active: bool = True
    token: bool = True


@dataclass(frozen=True)
class What:
    """What is asked about: whose it is, and which organisations it is permitted to; None is all."""

    kind: str
    row: Any
    owner: str | None
    readers: frozenset[str] | None = frozenset()
    superuser: bool = False
    name: str = ""


ANONYMOUS, REFUSED, DONE = "anonymous", "refused", "done"


def verdict(who: Who, right: str, whats: tuple[What, ...], interface: str) -> str:
    """Return what must come of it: anonymous, refused, or done."""
    if not who.active or (interface == "api" and not who.token):
        return ANONYMOUS
    # The API is for those who act for an organisation.
    if interface in ("api", "session") and who.organization is None:
        return REFUSED
    return DONE if all(_may(who, right, what, interface) for what in whats) else REFUSED


def _may(who: Who, right: str, what: What, interface: str) -> bool:
    own = who.organization is not None and who.organization == what.owner
    permitted = who.organization is not None and (
        own or what.readers is None or who.organization in what.readers
    )
    writes = who.organization is not None and who.role in ("admin", "member")
    leads = who.organization is not None and who.role == "admin"
    # Superusers manage everybody by pages; by the API whoever is of their organisation.
    manages = (who.superuser and (own or interface != "api")) or (
        own and leads and not what.superuser
    )
    return {
        "read": True,
        # A column that no page shows is not guessed by filters either.
        "guess": False,
        "download": permitted,
        "look inside": own,
        "register": writes,
        "change": writes and own,
        "use": writes and permitted,
        "colleague": own if interface == "api" else (own and leads) or who.superuser,
        "manage": manages,
        "audit": who.superuser or leads,
        "read event": who.superuser or (own and leads),
        "let in": (leads or who.superuser) and (own or what.owner is None or who.superuser),
        "add organisation": who.superuser,
        # Runners download what their organisation may, so superusers of others only revoke them.
        "watch": own or (who.superuser and interface == "admin"),
        "lead": leads,
        "revoke": (own and leads) or (who.superuser and interface == "admin"),
        "decide": own and leads,
    }[right]


@dataclass(frozen=True)
class Machine:
    """A runner that asks."""

    name: str
    organization: str
    revoked: bool = False


def runner_verdict(who: Machine, right: str, what: What) -> str:
    """Return what must come of it for a runner: anonymous, refused, or done."""
    if who.revoked or right == "users' address":
        return ANONYMOUS
    own = who.organization == what.owner
    allowed = {
        # Roles do not matter, nor whether the server exports models.
        "process": own or what.readers is None or who.organization in what.readers,
        "read data": own,
        # A job is its runner's, not its organisation's.
        "report": who.name == what.name,
    }[right]
    return DONE if allowed else REFUSED
