"""What the commands are shown by people and by scripts, beyond what `tests/commands` covers."""

import io
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command

from assets.accounts.models import ApiToken, User
from tests.cast import PASSWORD

CREATE = ("create_user", "zoe", "--organization", "MyOrg1MSP")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def type_in(monkeypatch) -> Callable[..., None]:
    """Return what makes a person at a terminal type these lines when asked."""

    def make(*lines: str) -> None:
        answers = iter(lines)
        monkeypatch.setattr("sys.stdin", Terminal())
        monkeypatch.setattr("getpass.getpass", lambda prompt: next(answers))

    return make


def run(*args: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command(*args, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_a_person_types_the_password_twice(org_a, type_in):
    type_in(PASSWORD, PASSWORD)
    run(*CREATE)

    assert User.objects.get(username="zoe").check_password(PASSWORD)


def test_a_person_mistypes_the_password(org_a, type_in):
    type_in(PASSWORD, "something-else")

    with pytest.raises(CommandError, match="differ"):
        run(*CREATE)
    assert not User.objects.filter(username="zoe").exists()


def test_a_person_wants_no_password(org_a, type_in):
    type_in("")
    reported, _ = run(*CREATE)

    assert not User.objects.get(username="zoe").has_usable_password()
    assert "only use API tokens" in reported


@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_the_end_of_the_line_is_no_part_of_the_password(org_a, monkeypatch, end):
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + end))
    run(*CREATE, "--password-stdin")

    assert User.objects.get(username="zoe").check_password(PASSWORD)


def test_a_script_finds_the_token_alone_on_standard_output(alice):
    secret, reported = run("create_token", "alice")

    assert len(secret.strip()) == 40
    assert secret.strip() not in reported
    assert "alice" in reported


@pytest.mark.parametrize("days", ["0", "-1", "nan", "inf", "1e400", "3000000"])
def test_lifetimes_that_no_token_has(alice, days):
    with pytest.raises(CommandError, match="--expires"):
        run("create_token", "alice", f"--expires={days}")
    assert not ApiToken.objects.exists()


def test_a_token_for_who_may_not_sign_in(alice):
    alice.is_active = False
    alice.save()

    with pytest.raises(CommandError, match="not active"):
        run("create_token", "alice")
    assert not ApiToken.objects.exists()
