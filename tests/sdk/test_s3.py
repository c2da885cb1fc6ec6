"""The SDK against a server that keeps its files in S3, and has S3 send them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders import CODE, DESCRIPTION, OPENER, tar_of
from tests.files.s3 import new_bucket, s3_server

from .peers import ROOT, Child
from .sdk import Client, environment_of, is_installed
from .serve import gunicorn, settings
from .specs import Specs

pytestmark = pytest.mark.sdk
VERSION = "1.0.0"


def manage(environment: dict[str, str], *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("downloads", ["stream", "s3-redirect"])
def test_register_and_download(downloads, tmp_path):
    if not is_installed(VERSION):
        in_ci = os.environ.get("CI", "").lower() not in ("", "0", "false")
        (pytest.fail if in_ci else pytest.skip)("run `make sdk-venvs`")
    seen: list[dict] = []
    with s3_server(seen) as s3_url:
        bucket = new_bucket(s3_url)
        environment = {**settings(tmp_path, ""), **bucket.environment, "DOWNLOADS": downloads}
        manage(environment, "migrate", "--verbosity", "0")
        manage(environment, "create_organization", "MyOrg1MSP")
        manage(environment, "create_user", "alice", "--organization=MyOrg1MSP", "--role=member")
        token = manage(environment, "create_token", "alice")
        with gunicorn(tmp_path / "server.log", environment) as url:
            python = environment_of(VERSION) / "bin" / "python"
            driver = Child(python, "tests.sdk.driver", tmp_path / "sdk.log", environment)
            try:
                driver.ask("connect", name="alice", url=f"{url}/api", token=token)
                register_and_download(Client(driver, "alice", token), Specs(tmp_path), tmp_path)
            finally:
                driver.close()
        assert len(bucket.files()) == 5
    by_client = [request for request in seen if "X-Amz-Expires" in request["QUERY_STRING"]]
    assert bool(by_client) == (downloads == "s3-redirect")
    # Whoever keeps the files does not learn who may act for us.
    assert not [request for request in by_client if "HTTP_AUTHORIZATION" in request]
    assert token not in str(seen)


def register_and_download(alice: Client, specs: Specs, folder: Path) -> None:
    archive = tar_of(CODE)
    dataset = alice.add_dataset(specs.dataset())
    alice.add_data_sample(specs.sample(dataset))
    function = alice.add_function(specs.function(file=specs.file("function.tar.gz", archive)))
    assert Path(alice.download_dataset(dataset, str(folder))).read_bytes() == OPENER
    assert Path(alice.download_function(function, str(folder))).read_bytes() == archive
    assert alice.describe_dataset(dataset) == DESCRIPTION.decode()
    assert alice.describe_function(function) == DESCRIPTION.decode()
