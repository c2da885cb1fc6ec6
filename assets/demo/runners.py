"""The runners of the demo's hospitals, whose tokens are kept on this machine."""

from pathlib import Path

from ..accounts.models import Organization, Runner
from ..accounts.registration.runners import create_runner, revoke_runner
from ..accounts.registration.tokens import token_digest
from .hospitals import HOSPITALS

NAME = "demo"


def runner_tokens(folder: Path) -> dict[str, Path]:
    """Return the file with the token of each hospital's runner, by the hospital's short name.

    A runner whose token is not in the folder any more gets a successor.

    Raises:
        Organization.DoesNotExist: the demo is not loaded.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {hospital.slug: _token(hospital.id, folder / hospital.slug) for hospital in HOSPITALS}


def _token(organization_id: str, file: Path) -> Path:
    organization = Organization.objects.get(pk=organization_id)
    known = Runner.objects.filter(organization=organization, name=NAME, revoked_at=None).first()
    if known and file.exists() and token_digest(file.read_text().strip()) == known.digest:
        return file
    if known:
        revoke_runner(known)
    _runner, secret = create_runner(organization, name=NAME)
    file.touch(mode=0o600)
    file.write_text(secret)
    return file
