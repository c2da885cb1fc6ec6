"""Who takes part in the demo, and under which permissions."""

from dataclasses import dataclass
from pathlib import Path

from ..accounts.models import Role
from ..permissions.specs import PermissionsSpec

FILES = Path(__file__).parent / "files"

# Known to everybody who reads this file: for looking around, never for a server that others reach.
PASSWORD = "federated-demo"  # noqa: S105
SUPERUSER = "root"

CURIE, KAROLINSKA, CHARITE = "CurieMSP", "KarolinskaMSP", "ChariteMSP"
PUBLIC = PermissionsSpec(public=True)
PRIVATE = PermissionsSpec()


@dataclass(frozen=True)
class Hospital:
    """One organisation of the demo; `slug` names its folders and its users."""

    id: str
    name: str
    slug: str
    dataset_permissions: PermissionsSpec
    logs_permission: PermissionsSpec

    @property
    def users(self) -> dict[str, Role]:
        """Its users' names and roles."""
        return {f"{self.slug}-{role.value}": role for role in Role}

    @property
    def member(self) -> str:
        """The user who registers its assets."""
        return f"{self.slug}-{Role.MEMBER.value}"


# One dataset for itself, one for one partner, one for everybody.
HOSPITALS = (
    Hospital(CURIE, "Institut Curie", "curie", PRIVATE, PRIVATE),
    Hospital(
        KAROLINSKA,
        "Karolinska Universitetssjukhuset",
        "karolinska",
        PermissionsSpec(False, (CURIE,)),
        PermissionsSpec(False, (CURIE,)),
    ),
    Hospital(CHARITE, "Charité", "charite", PUBLIC, PermissionsSpec(False, (CURIE, KAROLINSKA))),
)

# Which hospital registers which function, and for whom.
FUNCTIONS = {
    "train": (CURIE, PUBLIC),
    "aggregate": (KAROLINSKA, PUBLIC),
    "predict": (CHARITE, PermissionsSpec(False, (CURIE, KAROLINSKA))),
    "score": (CURIE, PUBLIC),
}

TRAINING_SAMPLES = ("train-1", "train-2")
TEST_SAMPLE = "test"
