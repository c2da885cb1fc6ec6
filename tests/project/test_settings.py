"""What settings and middleware promise, tried in a process of its own where settings are read."""

import os
import re
import runpy
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from django.test import Client

from project.environment import load_or_create_secret_key

ROOT = Path(__file__).resolve().parents[2]


def run_settings(
    expression: str, tmp_path: Path, **environment: str
) -> subprocess.CompletedProcess:
    """Print `expression` of the settings as a server with this environment reads them."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", f"from project import settings; print({expression})"],
        cwd=ROOT,
        env={**kept, "VAR_DIR": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_embedded_default_keeps_one_secret_that_only_its_user_reads(tmp_path):
    first = run_settings("settings.SECRET_KEY", tmp_path)
    second = run_settings("settings.SECRET_KEY", tmp_path)

    assert first.returncode == 0, first.stderr
    assert len(first.stdout.strip()) >= 50
    assert first.stdout == second.stdout
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


def test_processes_that_start_at_once_have_one_secret(tmp_path):
    """None reads it before it is complete, whoever is first."""
    begin = Barrier(8)

    def started(path: Path) -> str:
        begin.wait()
        return load_or_create_secret_key(path)

    with ThreadPoolExecutor(8) as pool:
        for n in range(20):
            secrets = set(pool.map(started, [tmp_path / f"secret_key-{n}"] * 8))
            assert [len(secret) for secret in secrets] == [50]
    assert len(list(tmp_path.iterdir())) == 20


def test_a_secret_is_complete_before_it_has_its_name(tmp_path, monkeypatch):
    path, link = tmp_path / "secret_key", os.link

    def beaten(source, target) -> None:
        path.write_text("of who was faster")
        link(source, target)

    monkeypatch.setattr(os, "link", beaten)
    assert load_or_create_secret_key(path) == "of who was faster"


@pytest.mark.parametrize("start", ["import project.wsgi", "import manage, sys; manage.main()"])
def test_files_are_for_the_user_of_the_server_only(start, tmp_path):
    program = f"import os; os.umask(0); {start}; open({str(tmp_path / 'written')!r}, 'w')"
    done = subprocess.run(
        [sys.executable, "-c", program, "version"],
        cwd=ROOT,
        env={**os.environ, "VAR_DIR": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 0
    assert (tmp_path / "written").stat().st_mode & 0o777 == 0o600


def test_static_files_are_for_everybody(tmp_path):
    command = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
    environment = {**os.environ, "VAR_DIR": str(tmp_path), "STATIC_ROOT": str(tmp_path / "static")}
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    for path in (tmp_path / "static").rglob("*"):
        assert path.stat().st_mode & 0o044 == 0o044, path


def test_what_is_empty_is_not_set(tmp_path, monkeypatch):
    table = (ROOT / "docs" / "configuration.md").read_text()
    rows = re.findall(r"^\| (`[A-Z].*?) \| ", table, re.MULTILINE)
    names = {name for row in rows for name in re.findall(r"`([A-Z0-9_]+)`", row)} - {"VAR_DIR"}
    values = "{n: getattr(settings, n) for n in dir(settings) if n.isupper() and n != 'SECRET_KEY'}"
    plain = run_settings(values, tmp_path)
    empty = run_settings(values, tmp_path, **dict.fromkeys(names, ""))
    assert len(names) > 50
    assert re.sub("0x[0-9a-f]+", "", empty.stdout) == re.sub("0x[0-9a-f]+", "", plain.stdout) != ""

    served = []
    for value in (None, " "):
        for name in names:
            monkeypatch.delenv(name, raising=False)
            if value:
                monkeypatch.setenv(name, value)
        found = runpy.run_path(str(ROOT / "project/gunicorn.py"))
        served.append(
            {name: found[name] for name in found if isinstance(found[name], int | str | list)}
        )
    assert served[0] == served[1]


def test_a_database_of_its_own_asks_for_a_secret_of_its_own(tmp_path):
    refused = run_settings("1", tmp_path, DATABASE_URL="postgres://registrar@localhost/registrar")

    assert refused.returncode != 0
    assert "SECRET_KEY is required when DATABASE_URL is set" in refused.stderr


@pytest.mark.parametrize(
    ("environment", "expression", "expected"),
    [
        ({}, "settings.DEBUG", "False"),
        ({"DEBUG": "true"}, "settings.DEBUG", "True"),
        ({"ALLOWED_HOSTS": "a.example,b.example"}, "settings.ALLOWED_HOSTS", "a.example"),
        ({"TOKEN_LIFETIME_HOURS": "0.5"}, "settings.TOKEN_LIFETIME", "0:30:00"),
        ({"MAX_UPLOAD_SIZE": "1000"}, "settings.MAX_UPLOAD_SIZE", "1000"),
        ({"STORAGE_ROOT": "/srv/files"}, "settings.STORAGES['default']", "/srv/files"),
        ({"S3_BUCKET": "assets"}, "settings.STORAGES['default']", "s3.AssetStorage"),
        ({"DOWNLOADS": "x-accel-redirect"}, "settings.DOWNLOADS", "x-accel-redirect"),
        ({"S3_BUCKET": "a", "DOWNLOADS": "s3-redirect"}, "settings.DOWNLOADS", "s3-redirect"),
        ({"HTTPS": "true"}, "settings.SESSION_COOKIE_SECURE", "True"),
        ({"HTTPS": "true"}, "settings.SESSION_COOKIE_NAME", "__Host-sessionid"),
        ({"HTTPS": "true"}, "settings.SECURE_HSTS_SECONDS", "31536000"),
        ({"HTTPS": "true"}, "settings.SECURE_HSTS_INCLUDE_SUBDOMAINS", "False"),
        ({"HTTPS": "true"}, "settings.SECURE_HSTS_PRELOAD", "False"),
        ({"HSTS_PRELOAD": "true"}, "settings.SECURE_HSTS_PRELOAD", "True"),
        ({"HSTS_INCLUDE_SUBDOMAINS": "1"}, "settings.SECURE_HSTS_INCLUDE_SUBDOMAINS", "True"),
        ({"HTTPS": "true"}, "settings.CSRF_COOKIE_NAME", "__Host-csrftoken"),
        ({"SESSION_LIFETIME_HOURS": "1"}, "settings.SESSION_COOKIE_AGE", "3600"),
        ({"SESSION_IDLE_HOURS": "0.5"}, "settings.SESSION_IDLE_AGE", "1800"),
        ({"PASSWORD_MIN_LENGTH": "20"}, "settings.AUTH_PASSWORD_VALIDATORS", "20"),
        ({"LOGIN_COOLOFF_MINUTES": "1"}, "settings.LOGIN_COOLOFF", "0:01:00"),
        ({"BEHIND_PROXY": "true"}, "settings.USE_X_FORWARDED_HOST", "True"),
        ({"STATIC_ROOT": "/srv/static"}, "settings.STATIC_ROOT", "/srv/static"),
        ({"LOG_FORMAT": "json"}, "settings.LOGGING['handlers']", "'formatter': 'json'"),
        ({"METRICS_PORT": "9100"}, "settings.MIDDLEWARE", "RequestMetrics"),
        ({"CSP_REPORT_URI": "/csp"}, "settings.CONTENT_SECURITY_POLICY", "'report-uri': ['/csp']"),
        ({"CHANNEL": "oncology"}, "settings.CHANNEL", "oncology"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_the_environment_decides(environment, expression, expected, tmp_path):
    result = run_settings(expression, tmp_path, **environment)

    assert result.returncode == 0, result.stderr
    assert expected in result.stdout


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"REQUIRE_SECOND_FACTOR": "some"}, "REQUIRE_SECOND_FACTOR"),
        ({"OIDC_ISSUER": "https://login.example"}, "OIDC_CLIENT_ID"),
        ({"OIDC_UNKNOWN_USERS": "create"}, "OIDC_ORGANIZATION_CLAIM"),
        ({"OIDC_NEW_ROLE": "admin"}, "OIDC_NEW_ROLE"),
        ({"CSP_REPORT_URI": "https://x.example/; script-src *"}, "CSP_REPORT_URI"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_what_is_half_or_wrongly_configured_is_refused(environment, message, tmp_path):
    refused = run_settings("1", tmp_path, **environment)

    assert refused.returncode != 0
    assert message in refused.stderr


def test_a_secret_may_be_in_a_file(tmp_path):
    (tmp_path / "secret").write_text("of-a-file\n")
    found = run_settings("settings.SECRET_KEY", tmp_path, SECRET_KEY_FILE=str(tmp_path / "secret"))
    assert found.stdout == "of-a-file\n", found.stderr


def test_a_switch_that_is_neither_on_nor_off_is_refused(tmp_path):
    refused = run_settings("1", tmp_path, DEBUG="maybe")

    assert refused.returncode != 0
    assert "DEBUG" in refused.stderr


@pytest.mark.parametrize(
    "environment",
    [
        {"DOWNLOADS": "by pigeon"},
        {"DOWNLOADS": "s3-redirect"},
        {"DOWNLOADS": "x-sendfile", "S3_BUCKET": "assets"},
    ],
    ids=str,
)
def test_downloads_go_by_who_has_the_files(environment, tmp_path):
    refused = run_settings("1", tmp_path, **environment)

    assert refused.returncode != 0
    assert "DOWNLOADS" in refused.stderr


def test_sqlite_waits_its_turn_and_never_blocks_readers(tmp_path):
    options = run_settings("settings.DATABASES['default']['OPTIONS']", tmp_path).stdout

    assert "journal_mode=WAL" in options
    assert "IMMEDIATE" in options
    # What was answered is on the disk, even if the machine loses its power.
    assert "synchronous=FULL" in options


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_what_is_sent_without_the_final_slash_is_not_redirected(method):
    answer = getattr(Client(), method)("/api/compute_plan")

    assert answer.status_code == 404
    assert answer.json() == {"detail": "Not found."}


def test_what_is_read_without_the_final_slash_is_redirected():
    answer = Client().get("/api/organization")

    assert answer.status_code == 301
    assert answer["Location"] == "/api/organization/"


def test_the_address_of_the_server_leads_strangers_to_sign_in_and_back():
    assert Client().get("/")["Location"] == "/sign-in/?next=/"


def test_browsers_find_an_icon():
    assert Client().get("/favicon.ico")["Location"].endswith("registrar/favicon.svg")
