"""The hospitals of the demo, their users and their permissions."""

from dataclasses import dataclass
from pathlib import Path

from ..accounts.models import Role
from ..permissions.specs import PermissionsSpec

FILES = Path(__file__).parent / "files"

# Public, as this file is: for a demo only, never for a server that others can reach.
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


# One dataset is private, one is for a partner, and one is public.
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

# The short name of each hospital, by its id.
SLUGS = {hospital.id: hospital.slug for hospital in HOSPITALS}

# The hospital that registers each function, and its permissions.
FUNCTIONS = {
    "train": (CURIE, PUBLIC),
    "aggregate": (KAROLINSKA, PUBLIC),
    "predict": (CHARITE, PermissionsSpec(False, (CURIE, KAROLINSKA))),
    "score": (CURIE, PUBLIC),
}

TRAINING_SAMPLES = ("train-1", "train-2")
TEST_SAMPLE = "test"
