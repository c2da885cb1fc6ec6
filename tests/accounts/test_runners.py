"""Runners: created and revoked, with a token that nothing stores."""

import pytest
from django.core.exceptions import ValidationError

from assets.accounts.models import Runner
from assets.accounts.registration.rows import insert
from assets.accounts.registration.runners import check_runner, create_runner, revoke_runner
from assets.accounts.registration.tokens import token_digest
from assets.feed.models import Event

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


def events_of(runner: Runner) -> list[tuple]:
    found = Event.objects.filter(asset_kind="runner", asset_key=runner.pk).order_by("pk")
    return list(found.values_list("action", "organization_id", "actor_name", "public"))


def test_create_and_revoke(org_a, ada):
    runner, secret = create_runner(org_a, name=" ward 7 ", actor=ada)
    assert (runner.name, runner.organization_id) == ("ward 7", org_a.pk)
    assert len(secret) == 40
    assert Runner.objects.get(digest=token_digest(secret)) == runner
    revoke_runner(runner, ada)
    assert Runner.objects.get(pk=runner.pk).revoked_at
    assert events_of(runner) == [
        (action, org_a.pk, "ada", False) for action in ("created", "removed")
    ]
    with pytest.raises(ValidationError, match="revoked already"):
        revoke_runner(runner, ada)


@pytest.mark.parametrize("name", ["", "   ", "x" * 101])
def test_names(org_a, name):
    with pytest.raises(ValidationError) as refused:
        create_runner(org_a, name=name)
    assert list(refused.value.message_dict) == ["name"]


def test_one_of_a_name(org_a, org_b):
    first, _ = create_runner(org_a, name="ward")
    create_runner(org_b, name="ward")
    with pytest.raises(ValidationError, match="Choose another"):
        create_runner(org_a, name="ward")
    revoke_runner(first)
    create_runner(org_a, name="ward")


def test_two_of_a_name_at_once(org_a):
    second, _ = check_runner(org_a, name="ward")
    create_runner(org_a, name="ward")
    with pytest.raises(ValidationError, match="Choose another"):
        insert(second)
