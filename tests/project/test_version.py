"""The version: `pyproject.toml` states it, and everything that shows a version shows this one."""

import io
import json
import logging
import re
import runpy
import subprocess
import sys

import pytest
from django.test import Client

from assets.common.ops.logging import JSONFormatter
from project import __version__, read_version
from tests.house.source import ROOT

CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_it_is_read_from_pyproject(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "7.8.9"\n')
    assert read_version(tmp_path) == "7.8.9"


def test_a_deployment_without_the_file_says_what_to_copy(tmp_path):
    with pytest.raises(RuntimeError, match=r"is missing.*Copy it beside manage\.py"):
        read_version(tmp_path)


def test_it_needs_no_package_metadata():
    """Registrar is a folder: what is installed beside it knows no package of this name."""
    program = "import importlib.metadata as found, project; found.version('registrar')"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "PackageNotFoundError" in done.stderr


def test_it_is_stated_once():
    stating = [
        path.relative_to(ROOT).as_posix()
        for folder in ("project", "assets", "templates", "docs")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".html", ".yaml", ".service", ".conf"} or not path.suffix
        if path.is_file() and f'"{__version__}"'.encode() in path.read_bytes()
    ]
    assert stating == []


def test_the_schema_states_it(client: Client):
    assert json.loads(client.get("/api/schema/?format=json").content)["info"]["version"] == (
        __version__
    )


def test_the_changelog_begins_with_it():
    headings = re.findall(r"^## (.*)$", CHANGELOG, re.MULTILINE)
    released = [heading for heading in headings if heading != "Unreleased"]
    assert re.fullmatch(rf"{re.escape(__version__)} - \d{{4}}-\d\d-\d\d", released[0])


@pytest.mark.django_db
def test_pages_show_it_to_users_who_have_signed_in(alice, session_of):
    line = f'<footer class="about">Registrar {__version__}</footer>'
    assert line in session_of(alice).get("/").text
    assert "about" not in re.findall(r'class="(\w+)"', Client().get("/sign-in/").text)


def test_each_line_of_the_json_log_has_it():
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JSONFormatter())
    handler.handle(logging.makeLogRecord({"name": "registrar", "msg": "ready"}))
    assert json.loads(stream.getvalue())["version"] == __version__


def test_the_server_prints_it_when_it_is_ready(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    runpy.run_path("project/gunicorn.py")["when_ready"](None)
    assert f"Registrar {__version__} serves http://" in capsys.readouterr().out
