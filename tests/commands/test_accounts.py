"""The commands that make organisations, users and tokens."""

import io

import pytest
from django.core.management import CommandError, call_command

from assets.accounts.models import ApiToken, Organization, Role, User
from assets.accounts.registration.tokens import token_digest
from tests.cast import ORGANIZATIONS, PASSWORD, USERS


def run(*args: str, stdin: str = "", monkeypatch=None, **options) -> str:
    out = io.StringIO()
    if monkeypatch:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
    call_command(*args, stdout=out, stderr=io.StringIO(), **options)
    return out.getvalue()


def test_an_organisation(db):
    run("create_organization", "MyOrg4MSP", "--name", "Fourth hospital")

    assert Organization.objects.get(pk="MyOrg4MSP").name == "Fourth hospital"


@pytest.mark.parametrize("id", ["", "../etc", "with space", "x" * 65, "-begins-so", "é"])
def test_ids_that_no_organisation_has(db, id):
    with pytest.raises(CommandError):
        run("create_organization", "--", id)
    assert set(Organization.objects.values_list("pk", flat=True)) == set(ORGANIZATIONS)


def test_an_id_that_is_taken(org_a):
    with pytest.raises(CommandError, match="already exists"):
        run("create_organization", "MyOrg1MSP")


def test_a_user_with_a_password(org_a, monkeypatch):
    run(
        *("create_user", "zoe", "--organization", "MyOrg1MSP", "--role", "admin"),
        "--password-stdin",
        stdin=f"{PASSWORD}\n",
        monkeypatch=monkeypatch,
    )

    user = User.objects.get(username="zoe")
    assert (user.organization_id, user.role, user.is_superuser) == ("MyOrg1MSP", Role.ADMIN, False)
    assert user.check_password(PASSWORD)


def test_a_user_for_programs(org_a, monkeypatch):
    output = run("create_user", "robot", "--organization", "MyOrg1MSP", monkeypatch=monkeypatch)

    assert not User.objects.get(username="robot").has_usable_password()
    assert "create_token robot" in output


def test_a_platform_superuser(db, monkeypatch):
    run(
        *("create_user", "zoe", "--superuser", "--password-stdin"),
        stdin=f"{PASSWORD}\n",
        monkeypatch=monkeypatch,
    )

    user = User.objects.get(username="zoe")
    assert user.is_superuser
    assert user.organization is None


@pytest.mark.parametrize(
    ("args", "stdin", "phrase"),
    [
        (["zoe", "--organization", "Nowhere"], "", "create_organization Nowhere"),
        (["zoe"], "", "organisation"),
        (["zoe", "--organization", "MyOrg1MSP", "--password-stdin"], "", "no password"),
        (["zoe", "--organization", "MyOrg1MSP", "--password-stdin"], "12345\n", "too short"),
        (["alice", "--organization", "MyOrg1MSP"], "", "already exists"),
        (["a b", "--organization", "MyOrg1MSP"], "", "valid username"),
    ],
)
def test_users_that_are_not_made(alice, monkeypatch, args, stdin, phrase):
    with pytest.raises(CommandError, match=phrase):
        run("create_user", *args, stdin=stdin, monkeypatch=monkeypatch)
    assert set(User.objects.values_list("username", flat=True)) == {*USERS, "root"}


def test_a_token_is_all_that_is_printed(alice):
    secret = run("create_token", "alice", "--note", "notebook", "--expires", "2").strip()

    token = ApiToken.objects.get()
    assert token.digest == token_digest(secret)
    assert (token.note, (token.expires_at - token.created_at).days) in {
        ("notebook", 1),
        ("notebook", 2),
    }


@pytest.mark.parametrize(
    "args", [["unknown"], ["alice", "--expires", "-1"], ["alice", "--expires", "1e12"]]
)
def test_tokens_that_are_not_made(alice, args):
    with pytest.raises(CommandError):
        run("create_token", *args)
    assert not ApiToken.objects.exists()
