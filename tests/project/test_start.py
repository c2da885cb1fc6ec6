"""What starting imports, and where; how long it takes is for benchmarks to say."""

import ast
import os
import subprocess
import sys

import pytest
from django.core.management import get_commands, load_command_class

from tests.house.source import ROOT

# Of pages, of the API and of single features.
HEAVY = {
    *("assets.admin", "assets.api", "assets.pages", "project.urls"),
    *("authlib", "botocore", "crispy_forms.helper", "cryptography", "django_tables2"),
    *("drf_spectacular.views", "jinja2", "markdown_it", "prometheus_client", "psycopg"),
    *("pygments", "requests", "rest_framework.views", "segno", "waitress", "yaml"),
}
OURS = sorted(name for name, app in get_commands().items() if app == "assets")


def imported_by(code: str, folder) -> set[str]:
    """Return the modules that a new process on SQLite has imported after this code."""
    environment = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    environment |= {"DJANGO_SETTINGS_MODULE": "project.settings", "VAR_DIR": str(folder)}
    code += "\nimport sys; print(sorted(sys.modules))"
    answer = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(ast.literal_eval(answer.stdout.splitlines()[-1]))


def test_a_command_imports_no_page(tmp_path):
    assert not HEAVY & imported_by("import django; django.setup()", tmp_path)


def test_the_server_has_the_pages_before_its_first_request(tmp_path):
    """And before its workers begin, which share what it has imported."""
    assert imported_by("import project.wsgi", tmp_path) >= {"project.urls", "assets.admin"}


@pytest.mark.parametrize("name", [name for name in OURS if name not in ("check", "migrate")])
def test_no_command_checks_all_pages_first(name):
    assert set(load_command_class("assets", name).requires_system_checks) <= {"staticfiles"}
