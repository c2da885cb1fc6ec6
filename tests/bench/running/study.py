"""The demo's study of 50 tasks as a folder that the SDK can register and run."""

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, UUID, uuid5

from tests.bench import builds
from tests.bench.builds import ROOT

if TYPE_CHECKING:
    from assets.compute.specs import ComputePlanSpec

ENVIRONMENT = ROOT / ".venv" / "bench" / "study"
_LOCK = ROOT / "tests" / "sdk" / "substra-1.0.0.lock"


def environment() -> str:
    """Return a Python that has the SDK and what the demo's functions import."""
    from assets.demo.hospitals import FILES

    python = ENVIRONMENT / "bin" / "python"
    if not (ENVIRONMENT / ".complete").exists():
        dockerfile = (FILES / "functions" / "train" / "Dockerfile").read_text()
        line = next(line for line in dockerfile.splitlines() if line.startswith("RUN pip install"))
        packages = [word for word in line.split() if "==" in word]
        builds.run(sys.executable, "-m", "venv", "--without-pip", ENVIRONMENT)
        uv = (sys.executable, ROOT / ".ci/uv.py", "pip", "install", "--quiet", "--compile-bytecode")
        builds.run(*uv, "--python", python, "-r", _LOCK)
        builds.run(*uv, "--python", python, *packages)
        (ENVIRONMENT / ".complete").touch()
    return str(python)


def write(folder: Path, *, keep: bool = False) -> "ComputePlanSpec":
    """Write study.json and the files that it names, and return the study.

    In the file, keys of assets are names, and organisations are slugs.

    Args:
        keep: whether outputs that the study would delete are kept.
    """
    from assets.demo.hospitals import (
        FILES,
        FUNCTIONS,
        HOSPITALS,
        SLUGS,
        TEST_SAMPLE,
        TRAINING_SAMPLES,
    )
    from assets.demo.load import zipped
    from assets.demo.study import Registered, federated_study

    names: dict[UUID, str] = {}

    def key(*parts: str) -> UUID:
        found = uuid5(NAMESPACE_URL, "/".join(parts))
        names[found] = "/".join(parts)
        return found

    samples = [(one, name) for one in HOSPITALS for name in (*TRAINING_SAMPLES, TEST_SAMPLE)]
    study = federated_study(
        Registered(
            functions={name: key("function", name) for name in FUNCTIONS},
            datasets={one.id: key("dataset", one.slug) for one in HOSPITALS},
            samples={(one.id, name): key("sample", one.slug, name) for one, name in samples},
        )
    )

    def spelled(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: spelled(item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [spelled(item) for item in value]
        return names.get(value, str(value)) if isinstance(value, UUID) else SLUGS.get(value, value)

    for name in FUNCTIONS:
        content = zipped(FILES / "functions" / name, ("Dockerfile", "function.py"))
        (folder / f"{name}.zip").write_bytes(content)
    for one, name in samples:
        source = FILES / "data" / one.slug / name
        shutil.copytree(source, folder / "data" / one.slug / name)
    content = {
        "files": str(FILES),
        "hospitals": list(SLUGS.values()),
        "samples": [(one.slug, name) for one, name in samples],
        "functions": {
            name: spelled([owner, permissions._asdict()])
            for name, (owner, permissions) in FUNCTIONS.items()
        },
        "tasks": [
            {
                "key": str(task.key),
                "function": spelled(task.function_key),
                "worker": SLUGS[task.worker],
                "metadata": dict(task.metadata),
                "inputs": [spelled(ref._asdict()) for ref in task.refs],
                "outputs": {
                    name: spelled([output.permissions._asdict(), output.transient and not keep])
                    for name, output in task.outputs.items()
                },
            }
            for task in study.tasks
        ],
    }
    (folder / "study.json").write_text(json.dumps(content))
    return study


def run(folder: Path, *urls: str) -> dict[str, Any]:
    """Return how long the study takes, from its registration to its end, and what came of it.

    The keys of tasks and functions are by those in study.json.

    Args:
        folder: what `write` wrote.
        urls: the server; if there is none, the SDK runs the tasks itself, one after the other.
    """
    driver = Path(__file__).with_name("driver.py")
    printed = builds.run(environment(), driver, folder, *urls, cwd=folder, captured=True)
    return json.loads(printed.splitlines()[-1])
