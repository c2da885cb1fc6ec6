"""The organisations and users that every test finds in its database.

alice, ada and victor act for A (member, admin, viewer), bob for B, carol for C; root is a platform
superuser who belongs to no organisation.
"""

from django.test import override_settings

from assets.accounts.models import Role
from assets.accounts.registration.organizations import create_organization
from assets.accounts.registration.users import create_user

A, B, C = "MyOrg1MSP", "MyOrg2MSP", "MyOrg3MSP"
ORGANIZATIONS = {A: "First hospital", B: "Second hospital", C: "Third hospital"}
USERS = {
    "alice": (A, Role.MEMBER),
    "ada": (A, Role.ADMIN),
    "victor": (A, Role.VIEWER),
    "bob": (B, Role.MEMBER),
    "carol": (C, Role.MEMBER),
}
PASSWORD = "correct-horse-battery"
FAST_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@override_settings(PASSWORD_HASHERS=FAST_HASHERS)
def register_cast() -> None:
    organizations = {id: create_organization(id, name=name) for id, name in ORGANIZATIONS.items()}
    for username, (id, role) in USERS.items():
        create_user(username, organization=organizations[id], role=role, password=PASSWORD)
    create_user("root", organization=None, password=PASSWORD, is_superuser=True)
