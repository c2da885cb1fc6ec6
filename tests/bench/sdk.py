"""Listing every task through the real SDK, in an environment of its own.

The SDK's process is this file run by that environment's Python; it knows nothing of Registrar.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

VERSION = "1.0.0"
STEP = 20_000


def measure(serving: Any, token: str) -> dict[str, Any]:
    """List all tasks; return the seconds that each 20,000 of them took, and the server's memory.

    Times are of the SDK waiting for answers, and of all of it.
    """
    from .builds import ROOT
    from .machine import MemoryPeak

    python = ROOT / ".venv" / "sdk" / VERSION / "bin" / "python"
    if not python.exists():
        raise SystemExit(f"the SDK {VERSION} is not installed; run `make sdk-venvs`")
    url = f"{serving.as_client().address}/api"
    with MemoryPeak(serving.workers, every=0.5) as peak:
        done = subprocess.run(
            [python, __file__, url, token], capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise SystemExit(f"the SDK failed:\n{done.stderr}")
    return json.loads(done.stdout) | {
        "name": f"SDK {VERSION}",
        "memory_before": peak.before,
        "memory_after": peak.after,
        "memory_growth": peak.growth,
    }


def _list_all(url: str, token: str) -> dict[str, Any]:
    import requests
    import substra

    waited: list[float] = []
    get = requests.get

    def timed_get(*args: Any, **kwargs: Any) -> Any:
        begin = time.perf_counter()
        answer = get(*args, **kwargs)
        waited.append(time.perf_counter() - begin)
        return answer

    requests.get = timed_get
    client = substra.Client(backend_type="remote", url=url, token=token)
    waited.clear()
    begin = time.perf_counter()
    tasks = client.list_task()
    total = time.perf_counter() - begin
    keys = {task.key for task in tasks}
    pages = max(1, round(STEP * len(waited) / len(tasks)))
    steps = [sum(waited[at : at + pages]) for at in range(0, len(waited) - pages + 1, pages)]
    return {
        "tasks": len(tasks),
        "distinct": len(keys),
        "pages": len(waited),
        "seconds": total,
        "waiting_seconds": sum(waited),
        "steps": steps,
    }


if __name__ == "__main__":
    # Beside this file lie modules whose names would hide others'.
    sys.path = [item for item in sys.path if Path(item or ".").resolve() != Path(__file__).parent]
    json.dump(_list_all(*sys.argv[1:]), sys.stdout)
