"""What starting imports, and where; how long it takes is for benchmarks to say."""

import ast
import gc
import os
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.exceptions import ImproperlyConfigured
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


def printed_by(code: str, folder) -> list[str]:
    """Return the list that this code prints at its end, in a new process on SQLite."""
    environment = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    environment |= {"DJANGO_SETTINGS_MODULE": "project.settings", "VAR_DIR": str(folder)}
    answer = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return ast.literal_eval(answer.stdout.splitlines()[-1])


def imported_by(code: str, folder) -> set[str]:
    """Return the modules that have been imported after this code."""
    return set(printed_by(f"{code}\nimport sys; print(sorted(sys.modules))", folder))


def test_a_command_imports_no_page(tmp_path):
    assert not HEAVY & imported_by("import django; django.setup()", tmp_path)


def test_the_server_has_the_pages_before_its_first_request(tmp_path):
    """And before its workers begin, which share what it has loaded."""
    assert imported_by("import project.wsgi", tmp_path) >= {"project.urls", "assets.admin"}


def test_the_server_has_the_templates_before_its_first_request(tmp_path):
    code = """
import project.wsgi
from django.template import engines
[loader] = engines["django"].engine.template_loaders
print([str(name) for name in loader.get_template_cache])
"""
    assert {"base.html", "components/list.html"} <= set(printed_by(code, tmp_path))


@pytest.mark.parametrize("name", [name for name in OURS if name not in ("check", "migrate")])
def test_no_command_checks_all_pages_first(name):
    assert set(load_command_class("assets", name).requires_system_checks) <= {"staticfiles"}


def test_a_server_that_does_not_start_leaves_nothing(monkeypatch):
    def refuse():
        raise ImproperlyConfigured

    monkeypatch.setenv("METRICS_PORT", "9100")
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    hooks = runpy.run_path(str(ROOT / "project/gunicorn.py"))
    with pytest.raises(ImproperlyConfigured):
        hooks["on_starting"](SimpleNamespace(app=SimpleNamespace(wsgi=refuse)))
    gc.unfreeze()
    folder = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
    assert folder.name.startswith("registrar-metrics-")
    assert not folder.exists()
