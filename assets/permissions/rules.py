"""Which permissions are valid. Source: contract 3.2."""

from collections.abc import Collection, Iterator

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
        yield Problem(
            Code.BAD_REQUEST,
            f"invalid permission input values: {len(permissions.authorized_ids)} organisations, "
            f"at most {MAX_AUTHORIZED_IDS}; make it public instead.",
            field,
        )
        return
    if permissions.public:
        yield from _check_storable(permissions, f"{field}.authorized_ids")
        return
    unknown = sorted(set(permissions.authorized_ids) - set(known_ids))
    if unknown:
        names = ", ".join(f'"{cut(name, MAX_NAME_SHOWN)}"' for name in unknown[:NAMED])
        names += f" and {len(unknown) - NAMED} more" if len(unknown) > NAMED else ""
        yield Problem(
            Code.BAD_REQUEST,
            f"invalid permission input values: no organisation is called {names}. "
            "The organisation list (GET /organization/) has the ids.",
            f"{field}.authorized_ids",
        )


def _check_storable(permissions: PermissionsSpec, field: str) -> Iterator[Problem]:
    """Yield a problem if the ids, which are stored though they have no meaning, cannot be."""
    if any(len(id) > MAX_ID_CHARACTERS or unprintable(id) for id in permissions.authorized_ids):
        yield Problem(
            Code.BAD_REQUEST,
            f"invalid permission input values: an id has more than {MAX_ID_CHARACTERS:,} "
            "characters, or a control character; leave it out.",
            field,
        )
