"""Run the demo's first study and record what it makes: `python -m tests.demo.recording`.

A server and a runner for each hospital run it for real, in some minutes. What they report replaces
assets/demo/files/results/. Needed again when the demo's functions, data or study change.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import requests

from tests.bench.databases import django_without_database
from tests.bench.running import study
from tests.bench.running.runners import working_demo


class Reader:
    """Reads what a task made as its own hospital, which may download everything of it."""

    def __init__(self, address: str, hospital: str) -> None:
        self._address, self._session = f"{address}/api", requests.Session()
        from assets.demo.hospitals import PASSWORD

        credentials = {"username": f"{hospital}-member", "password": PASSWORD}
        answer = requests.post(f"{self._address}/api-token-auth/", json=credentials, timeout=60)
        self._session.headers["Authorization"] = f"Token {answer.json()['token']}"

    def steps(self, path: str) -> dict[str, int]:
        rundown = self._get(path).json()["execution_rundown"]
        return {item["step"]: item["duration"] for item in rundown}

    def save(self, task: str, folder: Path) -> dict[str, Any]:
        """Write the models of a task, and return its performances and steps."""
        performances = {}
        for output in self._get(f"task/{task}/output_assets/").json()["results"]:
            name, asset = output["identifier"], output["asset"]
            if output["kind"] == "ASSET_PERFORMANCE":
                performances[name] = asset["performance_value"]
            else:
                folder.mkdir(parents=True, exist_ok=True)
                content = self._get(f"model/{asset['key']}/file/").content
                (folder / name).write_bytes(content)
        return {"performances": performances, "steps": self.steps(f"task_profiling/{task}/")}

    def _get(self, path: str) -> requests.Response:
        answer = self._session.get(f"{self._address}/{path}", timeout=60)
        answer.raise_for_status()
        return answer


def main() -> None:
    with django_without_database(), tempfile.TemporaryDirectory() as name:
        from assets.demo.hospitals import SLUGS
        from assets.demo.results import RESULTS, result_name

        tasks = study.write(Path(name), keep=True).tasks
        with working_demo("sqlite") as address:
            ran = study.run(Path(name), address)
            if ran["status"] != "PLAN_STATUS_DONE":
                sys.exit(f"The study is {ran['status']}.")
            shutil.rmtree(RESULTS, ignore_errors=True)
            readers = {slug: Reader(address, slug) for slug in SLUGS.values()}
            anyone = next(iter(readers.values()))
            functions = {
                name: anyone.steps(f"function/{key}/profiling/")
                for name, key in ran["functions"].items()
            }
            results = {
                result_name(task): readers[SLUGS[task.worker]].save(
                    ran["tasks"][str(task.key)], RESULTS / result_name(task)
                )
                for task in tasks
            }
        content = json.dumps({"functions": functions, "tasks": results}, indent=1)
        (RESULTS / "results.json").write_text(f"{content}\n")


if __name__ == "__main__":
    main()
