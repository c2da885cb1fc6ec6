"""A change of an account and its event are one transaction: without the event, nothing changes."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.utils import timezone

from assets.accounts.models import ApiToken, Organization, RecoveryCode, Role, User
from assets.accounts.registration.organizations import create_organization
from assets.accounts.registration.passwords import set_password
from assets.accounts.registration.second_factor import new_recovery_codes
from assets.accounts.registration.tokens import create_token, delete_token
from assets.accounts.registration.users import change_role, create_user, delete_user, set_active
from assets.feed.models import Event
from tests.cast import PASSWORD

NEXT_WEEK = timedelta(days=7)
CHANGES = {
    "add an organisation": lambda ada, victor, token: create_organization("MyOrg9MSP", name="Nine"),
    "add a user": lambda ada, victor, token: create_user(
        "nina", organization=ada.organization, password=PASSWORD
    ),
    "create a token": lambda ada, victor, token: create_token(
        ada, expires_at=timezone.now() + NEXT_WEEK
    ),
    "revoke a token": lambda ada, victor, token: delete_token(token, ada),
    "change a role": lambda ada, victor, token: change_role(victor, Role.MEMBER, ada),
    "deactivate a user": lambda ada, victor, token: set_active(victor, False, ada),
    "delete a user": lambda ada, victor, token: delete_user(victor, ada),
    "set a password": lambda ada, victor, token: set_password(victor, PASSWORD[::-1], ada),
    "make recovery codes": lambda ada, victor, token: new_recovery_codes(victor, victor),
}


def rows() -> dict[str, list[Any]]:
    models = (ApiToken, Organization, RecoveryCode, User)
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


@pytest.mark.django_db
def test_no_change_without_its_event(ada, victor, monkeypatch):
    token, _ = create_token(victor, expires_at=timezone.now() + NEXT_WEEK)
    before = rows()

    def fail(*args: Any, **options: Any) -> None:
        raise DatabaseError("the disk is full")

    monkeypatch.setattr(Event, "save", fail)
    for name, change in CHANGES.items():
        people = (User.objects.get(pk=user.pk) for user in (ada, victor))
        with pytest.raises(DatabaseError):
            change(*people, ApiToken.objects.get(pk=token.pk))
        assert rows() == before, name
