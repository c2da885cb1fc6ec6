"""`manage.py work`: a runner for each hospital of the demo, which stop together."""

import sys
from subprocess import Popen

import pytest
from django.core.management import CommandError, call_command

from assets.accounts.models import Runner
from assets.accounts.registration.organizations import create_organization
from assets.accounts.registration.runners import revoke_runner
from assets.accounts.registration.tokens import token_digest
from assets.demo.hospitals import HOSPITALS
from assets.demo.runners import runner_tokens

pytestmark = pytest.mark.django_db

WORK = "assets.management.commands.work"


@pytest.fixture
def hospitals(no_cast):
    return [create_organization(hospital.id, name=hospital.name) for hospital in HOSPITALS]


def secrets(folder) -> dict[str, str]:
    return {slug: file.read_text() for slug, file in runner_tokens(folder).items()}


def test_each_hospital_has_a_runner_with_its_token(hospitals, tmp_path):
    folder = tmp_path / "tokens"
    found = secrets(folder)

    runners = Runner.objects.all()
    assert {runner.digest for runner in runners} == set(map(token_digest, found.values()))
    assert {runner.organization_id for runner in runners} == {one.id for one in HOSPITALS}
    assert folder.stat().st_mode & 0o077 == 0
    assert all(file.stat().st_mode & 0o077 == 0 for file in folder.iterdir())


def test_the_next_start_takes_the_same_runners(hospitals, tmp_path):
    assert secrets(tmp_path) == secrets(tmp_path)
    assert Runner.objects.count() == len(HOSPITALS)


def test_a_runner_without_its_token_gets_a_successor(hospitals, tmp_path):
    before = secrets(tmp_path)
    (tmp_path / "curie").write_text("lost")
    revoke_runner(Runner.objects.get(digest=token_digest(before["charite"])))

    after = secrets(tmp_path)
    assert after["curie"] != before["curie"]
    assert after["charite"] != before["charite"]
    assert after["karolinska"] == before["karolinska"]
    assert Runner.objects.filter(revoked_at=None).count() == len(HOSPITALS)


def test_without_the_demo(no_cast, settings, tmp_path):
    settings.VAR_DIR = tmp_path
    with pytest.raises(CommandError, match="not loaded. Run `make serve`"):
        call_command("work")


@pytest.mark.parametrize("ends", ["curie", "karolinska", "charite"])
def test_all_stop_with_the_first_one_and_it_says_so(
    hospitals, settings, tmp_path, monkeypatch, ends
):
    settings.VAR_DIR = tmp_path
    started: list[tuple[list[str], Popen]] = []

    def start(command: list[str]) -> Popen:
        code = "1" if command[-1].endswith(ends) else "__import__('time').sleep(60)"
        process = Popen([sys.executable, "-c", f"raise SystemExit({code})"])
        started.append((command, process))
        return process

    monkeypatch.setattr(f"{WORK}.subprocess.Popen", start)
    # The handler is for the command's own process.
    monkeypatch.setattr(f"{WORK}.signal.signal", lambda *_: None)
    with pytest.raises(CommandError, match="A runner stopped"):
        call_command("work", "--server", "http://server", "--", "--jobs", "2")

    assert len(started) == len(HOSPITALS)
    for command, process in started:
        assert process.poll() is not None
        assert command[1:5] == ["manage.py", "runner", "--server", "http://server"]
        assert command[-4:-1] == ["--jobs", "2", "--token-file"]
