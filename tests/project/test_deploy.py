"""The examples of docs/deploy fit what is here: paths, ports, variables and times."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "docs" / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
UNIT = (DEPLOY / "registrar.service").read_text()
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text()

# What is of systems and of Python, not of ours.
FOREIGN = {"PATH", "TMPDIR", "PIP_DISABLE_PIP_VERSION_CHECK", "PIP_NO_CACHE_DIR"}
FOREIGN |= {"PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}


def variables() -> set[str]:
    image = re.findall(r"^(?:ENV|   ) ([A-Z_]+)=", DOCKERFILE, re.M)
    unit = [
        setting.split("=")[0]
        for line in re.findall(r"^Environment=(.*)", UNIT, re.M)
        for setting in shlex.split(line)
    ]
    compose = COMPOSE["services"]["web"]["environment"]
    return {name.removesuffix("_FILE") for name in {*image, *unit, *compose}} - FOREIGN


def test_every_variable_is_one_of_ours():
    assert {"SECRET_KEY", "STATIC_ROOT", "GRACEFUL_TIMEOUT", "LOG_FORMAT"} <= variables()
    assert not {name for name in variables() if f"`{name}`" not in CONFIGURATION}


def test_the_image_is_built_of_what_is_here_and_sent():
    sent = re.findall(r"^!(\S+)", (ROOT / ".dockerignore").read_text(), re.M)
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.M)
        for source in line.split()
    ]
    assert sorted(copied) == sorted(sent)
    assert all((ROOT / name).exists() for name in copied)


@pytest.mark.parametrize("text", [DOCKERFILE, UNIT], ids=["Dockerfile", "systemd"])
def test_gunicorn_is_started_as_make_serve_starts_it(text):
    words = re.sub(r'[",\[\]]', " ", re.findall(r"^(?:CMD|ExecStart=)(.*)", text, re.M)[-1]).split()
    assert words[-3:] == ["-c", "project/gunicorn.py", "project.wsgi:application"]
    assert Path(words[0]).name == "gunicorn"


def test_who_stops_it_waits_longer_than_it_does():
    web = COMPOSE["services"]["web"]
    waits = int(web["stop_grace_period"].removesuffix("s"))
    assert waits > int(web["environment"]["GRACEFUL_TIMEOUT"])
    waits = int(re.search(r"^TimeoutStopSec=(\d+)", UNIT, re.M)[1])
    assert waits > int(re.search(r"GRACEFUL_TIMEOUT=(\d+)", UNIT)[1])


def test_containers_may_do_nothing_that_they_need_not():
    for name in ("web", "migrate"):
        service = COMPOSE["services"][name]
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
    assert re.search(r"^USER 10001:10001$", DOCKERFILE, re.M)
    assert "ports" not in COMPOSE["services"]["web"]
    assert COMPOSE["networks"]["inside"]["internal"]


def test_secrets_and_volumes_are_declared():
    for service in COMPOSE["services"].values():
        assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
        named = {volume.split(":")[0] for volume in service.get("volumes", [])}
        assert {name for name in named if not name.startswith(".")} <= set(COMPOSE["volumes"])
