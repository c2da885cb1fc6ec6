"""Which permissions are valid. Source: contract 3.2."""

from collections.abc import Collection, Iterator

from django.utils.translation import gettext as _

from ..common.errors import Code, Problem
from ..common.rules import unprintable
from ..common.text.reading import cut
from .specs import PermissionsSpec

MAX_AUTHORIZED_IDS = 100
MAX_ID_CHARACTERS = 1024
# How many unknown organisations an error names, and how many characters of each.
NAMED, MAX_NAME_SHOWN = 5, 100


def check_permissions(
    permissions: PermissionsSpec, known_ids: Collection[str], *, field: str = "permissions"
) -> Iterator[Problem]:
    """Yield problems with permissions; the list of public ones has no meaning."""
    if len(permissions.authorized_ids) > MAX_AUTHORIZED_IDS:
        message = _(
            "invalid permission input values: %(count)d organisations, at most %(limit)d; make it "
            "public instead."
        )
        counts = {"count": len(permissions.authorized_ids), "limit": MAX_AUTHORIZED_IDS}
        yield Problem(Code.BAD_REQUEST, message % counts, field)
        return
    if permissions.public:
        yield from _check_storable(permissions, f"{field}.authorized_ids")
        return
    unknown = sorted(set(permissions.authorized_ids) - set(known_ids))
    if unknown:
        names = ", ".join(f'"{cut(name, MAX_NAME_SHOWN)}"' for name in unknown[:NAMED])
        if (more := len(unknown) - NAMED) > 0:
            names = _("%(names)s and %(count)d more") % {"names": names, "count": more}
        message = _(
            "invalid permission input values: no organisation is called %(names)s. "
            "The organisation list (GET /organization/) has the ids."
        )
        yield Problem(Code.BAD_REQUEST, message % {"names": names}, f"{field}.authorized_ids")


def _check_storable(permissions: PermissionsSpec, field: str) -> Iterator[Problem]:
    """Yield a problem if the ids, which are stored though they have no meaning, cannot be."""
    if any(len(id) > MAX_ID_CHARACTERS or unprintable(id) for id in permissions.authorized_ids):
        message = _(
            "invalid permission input values: an id has more than %(limit)s characters, or a "
            "control character; leave it out."
        )
        yield Problem(Code.BAD_REQUEST, message % {"limit": f"{MAX_ID_CHARACTERS:,}"}, field)
